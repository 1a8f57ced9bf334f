import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyWindows } from "../../src/records/windows.ts";
import { fetchToken } from "../support/call.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

let gateway: TestGateway;
let tenant: TestTenant;
let stranger: TestTenant;

beforeAll(async () => {
  gateway = await startTestGateway();
  tenant = await buildTenant(gateway);
  stranger = await buildTenant(gateway, { name: "Stranger" });
});
afterAll(() => gateway.stop());

const OPT_IN = { source: "checkout", obtained_at: "2025-06-15T12:00:00Z", proof: "order 4711" };
const OFF = {
  customer_service_window: "off",
  opt_in: "off",
  destination: "off",
  template: "off",
};
const UNSET = { customer_service_window: null, opt_in: null, destination: null, template: null };

/** A token for one other number of the same tenant. */
async function tokenOfOtherNumber(): Promise<string> {
  const { phoneNumberId } = await addNumber(gateway, tenant.id);
  const { json } = await gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/clients`, {
    phone_number_ids: [phoneNumberId],
  });
  return fetchToken(gateway.url, { id: json.client_id, secret: json.client_secret });
}

describe("a window", () => {
  it("is unknown on a new number, open after a message, shut a day later", async () => {
    const window = `/tenant/v1/numbers/${tenant.phoneNumberId}/windows/%2B1%20555%20000%202222`;
    const unheard = await tenant.call("GET", window);
    expect([unheard.status, unheard.json]).toEqual([
      200,
      {
        phone_number_id: tenant.phoneNumberId,
        user: "15550002222",
        state: "unknown",
        last_inbound_at: null,
        closes_at: null,
      },
    ]);

    const { db } = gateway.database;
    const at = new Date(Math.floor(Date.now() / 1000) * 1000);
    const messages = [
      { from: "15550002222", type: "text", timestamp: String(at.getTime() / 1000) },
    ];
    const event = {
      tenantId: tenant.id,
      id: "evt_1",
      type: "message.received",
      phoneNumberId: tenant.phoneNumberId,
      wabaId: tenant.wabaId,
      receivedAt: new Date(),
      value: { messages },
    };
    await db.transaction().execute((trx) => applyWindows(trx, [event]));
    const open = await tenant.call("GET", window);
    expect(open.json).toMatchObject({
      state: "open",
      last_inbound_at: at.toISOString(),
      closes_at: new Date(at.getTime() + 86_400_000).toISOString(),
    });

    const longAgo = new Date(Date.now() - 2 * 86_400_000);
    await db.updateTable("customer_service_window").set({ last_inbound_at: longAgo }).execute();
    await db.updateTable("phone_number").set({ watched_since: longAgo }).execute();
    expect((await tenant.call("GET", window)).json.state).toBe("closed");
  });
});

function path(user: string): string {
  return `/tenant/v1/opt-ins/${tenant.phoneNumberId}/${user}`;
}

describe("an opt-in", () => {
  it("is recorded, read, replaced and deleted", async () => {
    const made = await tenant.call("PUT", path("15550003333"), { body: OPT_IN });
    expect([made.status, made.json]).toMatchObject([
      201,
      { user: "15550003333", ...OPT_IN, obtained_at: "2025-06-15T12:00:00.000Z" },
    ]);
    const again = await tenant.call("PUT", path("+1-555-000-3333"), {
      body: { ...OPT_IN, proof: "order 4712" },
    });
    expect([again.status, again.json.proof]).toEqual([200, "order 4712"]);
    const read = await tenant.call("GET", path("15550003333"));
    expect([read.status, read.json]).toEqual([200, again.json]);
    expect((await tenant.call("DELETE", path("15550003333"))).status).toBe(204);
    expect((await tenant.call("GET", path("15550003333"))).status).toBe(404);
    expect((await tenant.call("DELETE", path("15550003333"))).status).toBe(404);
  });

  it("may be of a user who is known by a business-scoped id only", async () => {
    const user = "US.13491208655302741918";
    expect((await tenant.call("PUT", path(user), { body: OPT_IN })).json.user).toBe(user);
    expect((await tenant.call("GET", path(user))).status).toBe(200);
  });

  it.each([
    ["without a proof", { ...OPT_IN, proof: "" }, "/proof"],
    ["without a source", { obtained_at: OPT_IN.obtained_at, proof: "x" }, "/source"],
    ["of the future", { ...OPT_IN, obtained_at: "2999-01-01T00:00:00Z" }, "/obtained_at"],
    ["of no time", { ...OPT_IN, obtained_at: "2016-12-31T23:59:60Z" }, "/obtained_at"],
  ])("is refused %s", async (_what, body, pointer) => {
    const { status, json } = await tenant.call("PUT", path("15550003333"), { body });
    expect([status, json.errors[0].pointer]).toEqual([422, pointer]);
  });
});

describe("what is known of a user", () => {
  it("is answered to others like what is not there", async () => {
    await tenant.call("PUT", `/tenant/v1/opt-ins/${tenant.phoneNumberId}/15550004444`, {
      body: OPT_IN,
    });
    const limited = await tokenOfOtherNumber();
    const calls: [
      method: string,
      pathOf: (number: string, user: string) => string,
      body?: object,
    ][] = [
      ["GET", (number, user) => `/tenant/v1/opt-ins/${number}/${user}`],
      ["PUT", (number, user) => `/tenant/v1/opt-ins/${number}/${user}`, OPT_IN],
      ["DELETE", (number, user) => `/tenant/v1/opt-ins/${number}/${user}`],
      ["GET", (number, user) => `/tenant/v1/numbers/${number}/windows/${user}`],
      ["PATCH", (number) => `/tenant/v1/numbers/${number}`, { guards: {} }],
    ];
    for (const [method, pathOf, body] of calls) {
      const ask = async (token: string, number: string, user: string) => {
        const headers = { "x-request-id": "same" };
        const answer = await gateway.call(method, pathOf(number, user), {
          token,
          headers,
          ...(body && { body }),
        });
        return [answer.status, answer.body.toString()];
      };
      const foreign = await ask(stranger.token, tenant.phoneNumberId, "15550004444");
      expect(foreign[0]).toBe(404);
      expect(await ask(stranger.token, "999", "15550004444")).toEqual(foreign);
      expect(await ask(limited, tenant.phoneNumberId, "15550004444")).toEqual(foreign);
      if (pathOf("", "user").endsWith("user")) {
        expect(await ask(tenant.token, tenant.phoneNumberId, "somebody")).toEqual(foreign);
      }
    }
  });
});

describe("guards", () => {
  it("are off, are set for a tenant, and for a number otherwise", async () => {
    const ofTenant = `/partner/v1/tenants/${tenant.id}`;
    const ofNumber = `/partner/v1/numbers/${tenant.numberId}`;
    const own = `/tenant/v1/numbers/${tenant.phoneNumberId}`;
    const ofRegion = { storage_region: "warn" };
    expect((await gateway.partner("GET", ofTenant)).json.guards).toEqual({ ...OFF, ...ofRegion });
    const unset = { ...UNSET, storage_region: null };
    expect((await gateway.partner("GET", ofNumber)).json.guards).toEqual(unset);

    const set = await gateway.partner("PATCH", ofTenant, {
      guards: { opt_in: "enforce", template: "warn" },
    });
    expect(set.json.guards).toEqual({
      ...OFF,
      ...ofRegion,
      opt_in: "enforce",
      template: "warn",
    });
    await gateway.partner("PATCH", ofNumber, { guards: { template: "off" } });
    const mine = await tenant.call("PATCH", own, { body: { guards: { destination: "warn" } } });
    expect([mine.status, mine.json]).toMatchObject([
      200,
      {
        guards: { ...UNSET, destination: "warn", template: "off" },
        effective_guards: { ...OFF, opt_in: "enforce", destination: "warn" },
      },
    ]);
    const back = await tenant.call("PATCH", own, { body: { guards: { template: null } } });
    expect(back.json.effective_guards).toEqual({
      ...OFF,
      opt_in: "enforce",
      destination: "warn",
      template: "warn",
    });
    expect((await tenant.call("GET", own)).json).toEqual(back.json);
    expect((await tenant.call("GET", "/tenant/v1/numbers")).json.data).toContainEqual(back.json);
    expect((await gateway.partner("GET", ofNumber)).json.guards).toEqual({
      ...back.json.guards,
      storage_region: null,
    });
  });

  it.each([
    ["a mode that there is not", { guards: { opt_in: "perhaps" } }],
    ["a guard that there is not", { guards: { weather: "warn" } }],
    ["another field", { state: "running" }],
  ])("refuse %s", async (_what, body) => {
    const own = `/tenant/v1/numbers/${tenant.phoneNumberId}`;
    expect((await tenant.call("PATCH", own, { body })).status).toBe(422);
  });

  it("of a tenant cannot be null", async () => {
    const ofTenant = `/partner/v1/tenants/${tenant.id}`;
    const { status } = await gateway.partner("PATCH", ofTenant, { guards: { opt_in: null } });
    expect(status).toBe(422);
  });
});

describe("destination rules", () => {
  it("come with the gateway, and are made and deleted", async () => {
    const rules = "/partner/v1/destination-rules";
    const shipped = await gateway.partner("GET", rules);
    expect(
      shipped.json.data.map(({ country, effect }: Record<string, string>) => [country, effect]),
    ).toEqual([
      ["CU", "blocked"],
      ["IR", "blocked"],
      ["KP", "blocked"],
      ["SY", "blocked"],
      ["US", "marketing_blocked"],
    ]);
    const wish = { country: "TR", from: "2026-01-01T00:00:00Z", effect: "blocked" };
    const made = await gateway.partner("POST", rules, { ...wish, until: "2026-02-01T00:00:00Z" });
    expect([made.status, made.json]).toMatchObject([
      201,
      { country: "TR", until: "2026-02-01T00:00:00.000Z", note: null },
    ]);
    expect(made.json.id).toMatch(/^dst_[0-9a-z]{26}$/);
    expect((await gateway.partner("DELETE", `${rules}/${made.json.id}`)).status).toBe(204);
    expect((await gateway.partner("DELETE", `${rules}/${made.json.id}`)).status).toBe(404);
    const backwards = await gateway.partner("POST", rules, { ...wish, until: wish.from });
    expect([backwards.status, backwards.json.errors[0].pointer]).toEqual([422, "/until"]);
    const nowhere = await gateway.partner("POST", rules, { ...wish, country: "Turkey" });
    expect([nowhere.status, nowhere.json.errors[0].pointer]).toEqual([422, "/country"]);
  });
});

describe("cached templates", () => {
  it("are listed by name, status and WABA, with the time of the last sync", async () => {
    const now = new Date();
    const waba = { tenant_id: tenant.id, waba_id: tenant.wabaId };
    const components = JSON.stringify([{ type: "BODY", text: "x" }]);
    const row = { ...waba, components, synced_at: now, changed_at: now, category: "UTILITY" };
    await gateway.database.db
      .insertInto("template_sync")
      .values({ ...waba, synced_at: now, asked_at: now, next_at: new Date("2999-01-01") })
      .execute();
    await gateway.database.db
      .insertInto("template")
      .values([
        { ...row, name: "a", language: "de", status: "approved" },
        { ...row, name: "a", language: "en", status: "paused" },
        { ...row, name: "b", language: "en", status: "approved" },
      ])
      .execute();
    const list = async (query: string): Promise<string[]> => {
      const { status, json } = await tenant.call("GET", `/tenant/v1/templates${query}`);
      expect([status, json.syncs[0]]).toEqual([
        200,
        { waba_id: tenant.wabaId, synced_at: now.toISOString(), failure: null },
      ]);
      return json.data.map(({ name, language }: Record<string, string>) => `${name} ${language}`);
    };
    const mine = `?waba_id=${tenant.wabaId}`;
    expect(await list(mine)).toEqual(["a de", "a en", "b en"]);
    expect(await list(`${mine}&name=a`)).toEqual(["a de", "a en"]);
    expect(await list(`${mine}&status=APPROVED`)).toEqual(["a de", "b en"]);
    const first = await tenant.call("GET", `/tenant/v1/templates${mine}&limit=2`);
    expect(first.json.data[0]).toMatchObject({ components: [{ type: "BODY", text: "x" }] });
    expect(await list(`${mine}&limit=2&cursor=${first.json.next_cursor}`)).toEqual(["b en"]);
    const foreign = await stranger.call("GET", `/tenant/v1/templates${mine}`);
    expect(foreign.status).toBe(404);
    expect((await stranger.call("GET", "/tenant/v1/templates")).json.data).toEqual([]);
  });

  it("are fetched when they are asked for, once a minute at most", async () => {
    const asked = await stranger.call("POST", "/tenant/v1/templates/sync");
    // Listing them was the first need of the WABA, and so the first time that they were asked for.
    expect([asked.status, asked.json.code]).toEqual([429, "rate_limited"]);
    expect(Number(asked.headers["retry-after"])).toBeGreaterThan(0);
    await gateway.database.db
      .updateTable("template_sync")
      .set({ asked_at: new Date(0) })
      .where("tenant_id", "=", stranger.id)
      .execute();
    const again = await stranger.call("POST", "/tenant/v1/templates/sync");
    expect([
      again.status,
      again.json.syncs.map((sync: { waba_id: string }) => sync.waba_id),
    ]).toEqual([202, [stranger.wabaId]]);
    const foreign = `/tenant/v1/templates/sync?waba_id=${tenant.wabaId}`;
    expect((await stranger.call("POST", foreign)).status).toBe(404);
  });
});
