import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomUUID } from "node:crypto";
import { fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  BOOTSTRAP,
  buildTenant,
  startTestGateway,
  type TestGateway,
  textMessage,
} from "../support/gateway.ts";

type Mode = "off" | "warn" | "enforce";
type Tenant = { id: string; externalId: string };
/** Whom a region is set for, and by what. */
type Asked = { gateway: TestGateway; tenant: Tenant; region: string };
type Came = {
  refused: { code: string; pointer: string | undefined; detail: string } | undefined;
  warnings: string[];
};

const DIFFERS = "storage_region_differs";
const NOT_OFFERED = "region_not_offered";

async function buildTenantWith(gateway: TestGateway, mode?: Mode): Promise<Tenant> {
  const externalId = randomUUID();
  const { json } = await gateway.partner(
    "PUT",
    `/partner/v1/tenants/by-external-id/${externalId}`,
    { name: "Acme" },
  );
  if (mode !== undefined) {
    const guards = { storage_region: mode };
    await gateway.partner("PATCH", `/partner/v1/tenants/${json.id}`, { guards });
  }
  return { id: json.id as string, externalId };
}

const regionOf = async (gateway: TestGateway, numberId: string): Promise<string | null> =>
  (await gateway.partner("GET", `/partner/v1/numbers/${numberId}`)).json.local_storage_region;

function cameOf(answer: Awaited<ReturnType<TestGateway["partner"]>>): Came {
  if (answer.status === 422) {
    const [{ code, pointer, detail }] = answer.json.errors;
    return { refused: { code, pointer, detail }, warnings: [] };
  }
  expect([200, 201]).toContain(answer.status);
  return { refused: undefined, warnings: answer.json.warnings };
}

/** A number that is here without a region, changed by one call; refused, it has none afterwards. */
async function changed(
  { gateway, tenant, region }: Asked,
  ask: (numberId: string, phoneNumberId: string) => ReturnType<TestGateway["partner"]>,
): Promise<Came> {
  const { numberId, phoneNumberId } = await addNumber(gateway, tenant.id);
  const came = cameOf(await ask(numberId, phoneNumberId));
  expect(await regionOf(gateway, numberId)).toBe(came.refused ? null : region);
  const read = await gateway.partner("GET", `/partner/v1/numbers/${numberId}`);
  expect(read.json.warnings).toEqual(came.warnings);
  return came;
}

async function created({ gateway, tenant, region }: Asked): Promise<Came> {
  const made = gateway.simulator.createNumber();
  const answer = await gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/numbers`, {
    phone_number_id: made.phoneNumberId,
    api_key: made.apiKey,
    local_storage_region: region,
  });
  const came = cameOf(answer);
  // Nothing came in, and 360dialog was asked for nothing.
  const { webhook } = gateway.simulator.getNumber(made.phoneNumberId);
  expect(webhook === undefined).toBe(came.refused !== undefined);
  expect(answer.json.local_storage_region).toBe(came.refused ? undefined : region);
  return came;
}

async function imported(
  { gateway, tenant, region }: Asked,
  given: { query?: string; number?: { phoneNumberId: string; apiKey: string } } = {},
): Promise<Came> {
  const { phoneNumberId, apiKey } = given.number ?? gateway.simulator.createNumber();
  const job = await gateway.call("POST", `/partner/v1/imports${given.query ?? ""}`, {
    token: await fetchToken(gateway.url, BOOTSTRAP),
    headers: { "content-type": "application/x-ndjson" },
    body: JSON.stringify({
      tenant_external_id: tenant.externalId,
      phone_number_id: phoneNumberId,
      api_key: apiKey,
      local_storage_region: region,
    }),
  });
  const path = `/partner/v1/imports/${job.json.id}`;
  await eventually(async () => (await gateway.partner("GET", path)).json.state === "finished", {
    withinMs: 10_000,
  });
  const [row] = (await gateway.partner("GET", `${path}/rows`)).json.data;
  if (row.state === "refused") {
    const { code, detail } = row;
    return { refused: { code, pointer: undefined, detail }, warnings: [] };
  }
  expect(row.state).toBe(given.query === undefined ? "imported" : "valid");
  if (row.number_id !== null) {
    const number = await gateway.partner("GET", `/partner/v1/numbers/${row.number_id}`);
    const isThere = given.query === undefined;
    expect(number.json.local_storage_region).toBe(isThere ? region : null);
    expect(number.json.warnings).toEqual(isThere && row.code !== null ? [row.code] : []);
  }
  expect(row.detail === null).toBe(row.code === null);
  return { refused: undefined, warnings: row.code === null ? [] : [row.code] };
}

/** Brought in with another key than it has here, which the row gives. */
async function importedAgain(asked: Asked, query?: string): Promise<Came> {
  const { gateway, tenant } = asked;
  const { phoneNumberId, numberId } = await addNumber(gateway, tenant.id);
  const number = { phoneNumberId, apiKey: gateway.simulator.rotateKey(phoneNumberId) };
  const came = await imported(asked, { number, ...(query !== undefined && { query }) });
  const isSet = came.refused === undefined && query === undefined;
  expect(await regionOf(gateway, numberId)).toBe(isSet ? asked.region : null);
  return came;
}

const PATCHED = "/local_storage_region";

/** Every way in, and where the region stands in what was sent; a row of a file has no pointer. */
const WAYS: [string, string | undefined, (asked: Asked) => Promise<Came>][] = [
  ["a creation", PATCHED, created],
  [
    "PATCH",
    PATCHED,
    (asked) =>
      changed(asked, (id) =>
        asked.gateway.partner("PATCH", `/partner/v1/numbers/${id}`, {
          local_storage_region: asked.region,
        }),
      ),
  ],
  [
    "PATCH with a new key",
    PATCHED,
    (asked) =>
      changed(asked, (id, phoneNumberId) =>
        asked.gateway.partner("PATCH", `/partner/v1/numbers/${id}`, {
          local_storage_region: asked.region,
          api_key: asked.gateway.simulator.rotateKey(phoneNumberId),
        }),
      ),
  ],
  [
    "PUT local-storage",
    "/region",
    (asked) =>
      changed(asked, (id) =>
        asked.gateway.partner("PUT", `/partner/v1/numbers/${id}/local-storage`, {
          region: asked.region,
        }),
      ),
  ],
  ["a row of an import", undefined, (asked) => imported(asked)],
  ["a row for a number that is here", undefined, (asked) => importedAgain(asked)],
  ["a row of a dry run", undefined, (asked) => imported(asked, { query: "?dry_run=true" })],
  [
    "a dry row for a number that is here",
    undefined,
    (asked) => importedAgain(asked, "?dry_run=true"),
  ],
];

describe("a number's region, where STORAGE_REGION is DE", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { STORAGE_REGION: "DE" } });
  });
  afterAll(() => gateway.stop());

  describe.each(WAYS)("set by %s", (_name, pointer, set) => {
    it.each<[string, Mode | undefined, string[]]>([
      ["warned of, unless said otherwise", undefined, [DIFFERS]],
      ["warned of under `warn`", "warn", [DIFFERS]],
      ["taken without a word under `off`", "off", []],
    ])("to another one is %s", async (_case, mode, warnings) => {
      const tenant = await buildTenantWith(gateway, mode);
      expect(await set({ gateway, tenant, region: "IN" })).toEqual({
        refused: undefined,
        warnings,
      });
    });

    it("to another one is refused under `enforce`, and the same is taken", async () => {
      const tenant = await buildTenantWith(gateway, "enforce");
      const { refused } = await set({ gateway, tenant, region: "IN" });
      expect(refused).toMatchObject({ code: DIFFERS, pointer });
      expect(refused?.detail).toContain("STORAGE_REGION");
      expect(refused?.detail).toContain("DE");
      expect(await set({ gateway, tenant, region: "DE" })).toEqual({
        refused: undefined,
        warnings: [],
      });
    });

    it("to one that 360dialog has not is refused, with those that it has", async () => {
      const tenant = await buildTenantWith(gateway, "off");
      const { refused } = await set({ gateway, tenant, region: "AE" });
      expect(refused).toMatchObject({ code: NOT_OFFERED, pointer });
      expect(refused?.detail).toContain("region");
      expect(refused?.detail).toContain("IN, SG, ID");
    });
  });

  it("is judged by the number's own setting before its tenant's", async () => {
    const strict = await buildTenantWith(gateway, "enforce");
    const number = await addNumber(gateway, strict.id);
    const path = `/partner/v1/numbers/${number.numberId}`;
    const set = (body: object) => gateway.partner("PATCH", path, body);
    expect((await set({ guards: { storage_region: "warn" } })).json.guards).toMatchObject({
      storage_region: "warn",
    });
    expect((await set({ local_storage_region: "IN" })).json.warnings).toEqual([DIFFERS]);
    await set({ guards: { storage_region: null } });
    expect((await set({ local_storage_region: "CH" })).status).toBe(422);
    const put = await gateway.partner("PUT", `${path}/local-storage`, { region: "CH" });
    expect(put.status).toBe(422);

    const lax = await addNumber(gateway, (await buildTenantWith(gateway, "off")).id);
    const strictPath = `/partner/v1/numbers/${lax.numberId}`;
    const both = { guards: { storage_region: "enforce" }, local_storage_region: "CH" };
    expect((await gateway.partner("PATCH", strictPath, both)).status).toBe(422);
    const { json } = await gateway.partner("GET", strictPath);
    expect([json.guards.storage_region, json.local_storage_region]).toEqual([null, null]);
  });

  it("that a number has already stays, is warned of, and stops no send", async () => {
    const tenant = await buildTenant(gateway);
    const path = `/partner/v1/numbers/${tenant.numberId}`;
    await gateway.partner("PATCH", path, { local_storage_region: "IN" });
    const guards = { storage_region: "enforce" };
    const enforced = await gateway.partner("PATCH", `/partner/v1/tenants/${tenant.id}`, { guards });
    expect(enforced.json.guards.storage_region).toBe("enforce");
    expect((await gateway.partner("GET", path)).json.warnings).toEqual([DIFFERS]);
    const listed = await gateway.partner("GET", `/partner/v1/numbers?tenant_id=${tenant.id}`);
    expect(listed.json.data[0].warnings).toEqual([DIFFERS]);
    // What it has already is no change.
    const same = { local_storage_region: "IN", throughput: 20 };
    expect((await gateway.partner("PATCH", path, same)).status).toBe(200);
    const sent = await tenant.call("POST", "/messages", { body: textMessage("15550001111", "x") });
    expect(sent.status).toBe(200);
    expect(sent.headers["gateway-warning"]).toBeUndefined();
  });

  it("that was asked for is not brought to 360dialog once `enforce` is set, but may be done by hand", async () => {
    const tenant = await buildTenantWith(gateway);
    const { numberId, phoneNumberId } = await addNumber(gateway, tenant.id);
    gateway.simulator.setNumberState(phoneNumberId, { pin: "481516" });
    const path = `/partner/v1/numbers/${numberId}`;
    await gateway.partner("PUT", `${path}/local-storage`, { region: "IN" });
    await gateway.partner("PATCH", path, { guards: { storage_region: "enforce" } });
    const pin = { pin: "481516" };
    const refused = await gateway.partner("POST", `${path}/local-storage/confirm`, pin);
    expect([refused.status, refused.json.errors[0].code]).toEqual([422, DIFFERS]);
    expect(gateway.simulator.getNumber(phoneNumberId).region).toBeUndefined();
    expect((await gateway.partner("GET", path)).json.registrations_left).toBe(10);
    const byHand = await gateway.partner("POST", `${path}/local-storage/confirm`, {});
    expect(byHand.json).toMatchObject({ state: "confirmed", warnings: [DIFFERS] });
  });

  it("that is changed has nothing of what was confirmed of the one before", async () => {
    const tenant = await buildTenantWith(gateway, "off");
    const { numberId } = await addNumber(gateway, tenant.id);
    const path = `/partner/v1/numbers/${numberId}`;
    await gateway.partner("PUT", `${path}/local-storage`, { region: "CH" });
    await gateway.partner("POST", `${path}/local-storage/confirm`, {});
    for (const region of ["IN", null]) {
      await gateway.partner("PATCH", path, { local_storage_region: region });
      const { json } = await gateway.partner("GET", `${path}/local-storage`);
      expect(json).toMatchObject({ region, state: null, pin_attempts: 0 });
    }
  });

  it("is the partner's: a tenant neither sees how it is judged nor sets it", async () => {
    const tenant = await buildTenant(gateway);
    const path = `/tenant/v1/numbers/${tenant.phoneNumberId}`;
    const before = await tenant.call("GET", path);
    expect(before.json.guards).not.toHaveProperty("storage_region");
    expect(before.json.effective_guards).not.toHaveProperty("storage_region");
    const body = { guards: { storage_region: "off" } };
    expect((await tenant.call("PATCH", path, { body })).status).toBe(422);
    // And its version is of what the tenant can set.
    await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, {
      guards: { storage_region: "enforce" },
    });
    expect((await tenant.call("GET", path)).headers["etag"]).toBe(before.headers["etag"]);
  });

  it("and how it is judged are in the audit", async () => {
    const tenant = await buildTenantWith(gateway, "off");
    const { numberId } = await addNumber(gateway, tenant.id);
    await gateway.call("PATCH", `/partner/v1/numbers/${numberId}`, {
      token: await fetchToken(gateway.url, BOOTSTRAP),
      headers: { "x-request-id": "set-a-region" },
      body: { local_storage_region: "IN", guards: { storage_region: "warn" } },
    });
    const [begun, ended] = await eventually(async () => {
      const { json } = await gateway.partner("GET", "/partner/v1/audit?request_id=set-a-region");
      return json.data.length === 2 && json.data;
    });
    expect(begun.before).toMatchObject({ local_storage_region: null, warnings: [] });
    expect(ended.after).toMatchObject({
      local_storage_region: "IN",
      guards: { storage_region: "warn" },
      warnings: [DIFFERS],
    });
  });
});

describe("a number's region, where STORAGE_REGION is unset", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  it.each(WAYS)("is held against nothing by %s, and 360dialog must have it", async (...way) => {
    const [, , set] = way;
    const tenant = await buildTenantWith(gateway, "enforce");
    expect(await set({ gateway, tenant, region: "IN" })).toEqual({
      refused: undefined,
      warnings: [],
    });
    expect((await set({ gateway, tenant, region: "AE" })).refused?.code).toBe(NOT_OFFERED);
  });
});
