import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { buildTenant, startTestGateway, type TestGateway } from "../support/gateway.ts";
import {
  buildJudgedTenant,
  DAY_MS,
  IN_CUBA,
  type JudgedTenant,
  newUser,
  setGuards,
  template,
  text,
} from "../support/judged-tenant.ts";

const WINDOW = ["customer_service_window"];
const at = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

let gateway: TestGateway;
let tenant: JudgedTenant;

beforeAll(async () => {
  gateway = await startTestGateway({ simulator: { statuses: [] } });
  tenant = await buildJudgedTenant(gateway);
});
afterEach(async () => {
  gateway.simulator.clearRequests();
  await setGuards(tenant, "off");
});
afterAll(() => gateway.stop());

describe("guards", () => {
  it("are off: everything is sent, and nothing is warned of", async () => {
    const nobody = newUser();
    await tenant.stopMarketing(nobody);
    for (const body of [text(nobody), text(IN_CUBA), template(nobody, "no_such_template")]) {
      await tenant.expectSent(body);
    }
  });

  it("that warn let a send go, and say all that stands against it", async () => {
    await tenant.syncTemplates();
    await setGuards(tenant, "warn");
    const said = async (body: object, path?: string): Promise<unknown> => {
      const before = tenant.sentUpstream();
      const { status, headers } = await tenant.send(body, path);
      expect([status, tenant.sentUpstream()]).toEqual([200, before + 1]);
      return headers["gateway-warning"];
    };
    const stranger = newUser();
    expect(await said(text(stranger))).toBe("window_closed, opt_in_missing");
    expect(await said(template(stranger, "no_such_template"))).toBe(
      "opt_in_missing, template_unavailable",
    );
    await tenant.optIn(IN_CUBA);
    expect(await said(text(IN_CUBA))).toBe("window_closed, destination_restricted");
    const friend = newUser();
    await tenant.receiveFrom(friend);
    expect(await said(text(friend))).toBeUndefined();
  });

  it("that warn say it again when the answer is given again", async () => {
    await setGuards(tenant, "warn");
    const headers = { "idempotency-key": "warned" };
    const body = text(newUser());
    const answers = [
      await tenant.call("POST", "/messages", { body, headers }),
      await tenant.call("POST", "/messages", { body, headers }),
    ];
    const warned = answers.map((answer) => answer.headers["gateway-warning"]);
    expect(warned).toEqual(Array(2).fill("window_closed, opt_in_missing"));
    expect(answers[1]?.headers["idempotent-replayed"]).toBe("true");
  });

  it("in force are not talked round by a compressed body", async () => {
    await setGuards(tenant, "enforce");
    const answer = await tenant.call("POST", "/messages", {
      body: gzipSync(JSON.stringify(text(newUser()))),
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });
    expect([answer.status, answer.json.code]).toEqual([422, "window_closed"]);
  });

  it("that are set for the tenant are its numbers', unless set for the number", async () => {
    const other = await buildTenant(gateway, { name: "Other" });
    const body = text(IN_CUBA);
    const status = async () => (await other.call("POST", "/messages", { body })).status;
    const ofTenant = `/partner/v1/tenants/${other.id}`;
    await gateway.partner("PATCH", ofTenant, { guards: { destination: "enforce" } });
    expect(await status()).toBe(422);
    await setGuards(other, "off", ["destination"]);
    expect(await status()).toBe(200);
    await setGuards(other, null, ["destination"]);
    expect(await status()).toBe(422);
    const ofNumber = `/partner/v1/numbers/${other.numberId}`;
    await gateway.partner("PATCH", ofNumber, { guards: { destination: "warn" } });
    expect(await status()).toBe(200);
  });

  it("look at no read receipt, no typing, and nothing that they cannot read", async () => {
    await setGuards(tenant, "enforce");
    const read = { messaging_product: "whatsapp", status: "read", message_id: "wamid.A" };
    await tenant.expectSent(read);
    await tenant.expectSent({ ...read, typing_indicator: { type: "text" } });
    const unreadable = await tenant.call("POST", "/messages", {
      body: "{",
      headers: { "content-type": "application/json" },
    });
    expect([unreadable.status, unreadable.json.request_id]).toEqual([400, undefined]);
    expect(tenant.sentUpstream()).toBe(3);
  });
});

describe("the guard of the window", () => {
  const refusal = { code: "window_closed", meta: 131047 };

  it("refuses free-form messages to who wrote long ago, and says when that was", async () => {
    const user = newUser();
    await tenant.receiveFrom(user);
    const lastInboundAt = new Date(Date.now() - 2 * DAY_MS);
    await gateway.database.db
      .updateTable("customer_service_window")
      .set({ last_inbound_at: lastInboundAt })
      .where("user_id", "=", user)
      .execute();
    await setGuards(tenant, "enforce", WINDOW);
    const { json } = await tenant.expectRefused(text(user), refusal);
    expect(json.last_inbound_at).toBe(lastInboundAt.toISOString());
    await tenant.expectSent(template(user, "any"));
    await tenant.receiveFrom(user);
    await tenant.expectSent(text(user));
  });

  it("refuses them to who never wrote", async () => {
    await setGuards(tenant, "enforce", WINDOW);
    const { json } = await tenant.expectRefused(text(newUser()), refusal);
    expect(json.last_inbound_at).toBeNull();
  });

  it("knows a user by phone, by business-scoped id, and who called", async () => {
    const { phoneNumberId } = tenant;
    await setGuards(tenant, "enforce", WINDOW);
    const userId = "US.13491208655302741918";
    const body = { ...text(""), to: undefined, recipient: userId };
    await tenant.expectRefused(body, refusal);
    const from = newUser();
    gateway.simulator.receiveMessage({ phoneNumberId, from, userId, text: "Hello" });
    await tenant.windowOpens(from);
    await tenant.expectSent(body);
    await tenant.expectSent(text(`+${from}`));

    const caller = newUser();
    await tenant.expectRefused(text(caller), refusal);
    gateway.simulator.receiveCall({ phoneNumberId, event: "connect", from: caller });
    await tenant.windowOpens(caller);
    await tenant.expectSent(text(caller));
  });

  it("says nothing of a number that has not been watched for a day", async () => {
    const young = await buildTenant(gateway, { name: "Young" });
    await setGuards(young, "enforce", WINDOW);
    expect((await young.call("POST", "/messages", { body: text(newUser()) })).status).toBe(200);
  });
});

describe("the guard of opt-ins", () => {
  const missing = { code: "opt_in_missing", meta: 131050 };
  const stopped = { code: "opted_out", meta: 131050 };

  it("refuses who never agreed, until it is recorded or the user writes", async () => {
    await setGuards(tenant, "enforce", ["opt_in"]);
    const [asked, writes] = [newUser(), newUser()];
    await tenant.expectRefused(text(asked), missing);
    await tenant.expectRefused(template(asked, "any"), missing);
    await tenant.optIn(asked);
    await tenant.expectSent(text(asked));
    await tenant.expectSent(template(asked, "any"));
    await tenant.expectRefused(text(writes), missing);
    await tenant.receiveFrom(writes);
    await tenant.expectSent(text(writes));
    await tenant.expectRefused(template(writes, "any"), missing);
    await tenant.call("DELETE", `/tenant/v1/opt-ins/${tenant.phoneNumberId}/${asked}`);
    await tenant.expectRefused(template(asked, "any"), missing);
  });

  it("refuses marketing, and marketing only, to who has stopped it", async () => {
    const { simulator } = gateway;
    const { phoneNumberId } = tenant;
    simulator.addTemplate(phoneNumberId, { name: "sale", language: "en", category: "MARKETING" });
    simulator.addTemplate(phoneNumberId, { name: "bill", language: "en", category: "UTILITY" });
    await tenant.syncTemplates();
    const user = newUser();
    await tenant.optIn(user, new Date(Date.now() - DAY_MS));
    await setGuards(tenant, "enforce", ["opt_in"]);
    await tenant.expectSent(template(user, "sale"));
    await tenant.stopMarketing(user);
    await tenant.expectRefused(template(user, "sale"), stopped);
    const path = "/marketing_messages";
    await tenant.expectRefused(template(user, "sale"), { ...stopped, path });
    await tenant.expectSent(template(user, "bill"));
    await tenant.expectSent(text(user));
    // Who agrees anew has agreed; what was agreed to before the stop was not.
    await tenant.optIn(user, new Date(Date.now() - DAY_MS / 2));
    await tenant.expectRefused(template(user, "sale"), stopped);
    await tenant.optIn(user, new Date(Date.now() + 2000));
    await tenant.expectSent(template(user, "sale"));
  });

  it("hears of a stop by 131050, and of a resumption", async () => {
    const { phoneNumberId } = tenant;
    const to = newUser();
    await tenant.optIn(to, new Date(Date.now() - DAY_MS));
    await setGuards(tenant, "enforce", ["opt_in"]);
    const marketing = () => tenant.send(template(to, "any"), "/marketing_messages");
    const messageId = "wamid.STOPPED";
    gateway.simulator.reportStatus({
      phoneNumberId,
      messageId,
      status: "failed",
      to,
      code: 131050,
    });
    await eventually(async () => (await marketing()).json.code === "opted_out");
    await gateway.database.db
      .updateTable("marketing_preference")
      .set({ stopped_at: new Date(Date.now() - DAY_MS) })
      .where("user_id", "=", to)
      .execute();
    gateway.simulator.changePreference({ phoneNumberId, from: to, value: "resume" });
    await eventually(async () => (await marketing()).status === 200);
  });
});

describe("the guard of destinations", () => {
  const refusal = { code: "destination_restricted", meta: 130497 };

  it("goes by rules that are in force now", async () => {
    await setGuards(tenant, "enforce", ["destination"]);
    await tenant.expectRefused(text(IN_CUBA), refusal);
    await tenant.expectRefused({ ...text(""), to: undefined, recipient: "CU.1349120865" }, refusal);
    const user = newUser();
    await tenant.expectSent(text(user));
    const rules = "/partner/v1/destination-rules";
    const rule = { country: "DE", effect: "blocked" };
    await gateway.partner("POST", rules, { ...rule, from: at(1) });
    await gateway.partner("POST", rules, { ...rule, from: at(-2), until: at(-1) });
    await tenant.expectSent(text(user));
    const made = await gateway.partner("POST", rules, { ...rule, from: at(-1), until: at(1) });
    await tenant.expectRefused(text(user), refusal);
    await gateway.partner("DELETE", `${rules}/${made.json.id}`);
    await tenant.expectSent(text(user));
  });

  it("lets no marketing go where only that is blocked", async () => {
    await setGuards(tenant, "enforce", ["destination"]);
    const american = "12125550123";
    await tenant.expectRefused(template(american, "any"), {
      ...refusal,
      path: "/marketing_messages",
    });
    await tenant.expectSent(text(american));
  });
});

describe("the guard of templates", () => {
  it("knows them from 360dialog, and by what it tells of them", async () => {
    const { simulator } = gateway;
    const { phoneNumberId } = tenant;
    const refusal = { code: "template_unavailable", meta: 132001 };
    simulator.addTemplate(phoneNumberId, { name: "news", language: "en" });
    simulator.addTemplate(phoneNumberId, { name: "old", language: "en", status: "REJECTED" });
    await tenant.syncTemplates();
    await setGuards(tenant, "enforce", ["template"]);
    const user = newUser();
    await tenant.expectSent(template(user, "news"));
    await tenant.expectSent(text(user));
    await tenant.expectRefused(template(user, "news", "de"), refusal);
    await tenant.expectRefused(template(user, "old"), refusal);
    await tenant.expectRefused(template(user, "never_made"), refusal);

    const statusIs = (wanted: string) =>
      eventually(async () => {
        const { json } = await tenant.call("GET", "/tenant/v1/templates?name=news");
        return json.data[0].status === wanted;
      });
    simulator.setTemplateStatus(phoneNumberId, { name: "news", status: "PAUSED" });
    await statusIs("paused");
    await tenant.expectRefused(template(user, "news"), refusal);
    simulator.setTemplateStatus(phoneNumberId, { name: "news", status: "APPROVED" });
    await statusIs("approved");
    await tenant.expectSent(template(user, "news"));
  });
});
