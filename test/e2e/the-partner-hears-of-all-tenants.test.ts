import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { customerOf } from "../support/onboard.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const TEXT = "planted message text";
const USER = "15550009876";

type Told = { type: string; tenant_id: string | null; data: Record<string, unknown> };

const fixture = (name: string): Record<string, unknown> => {
  const file = new URL(`../fixtures/notifications/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
};

/** Meta's envelope of something that a number's WABA or the number is told. */
const change = (wabaId: string, field: string, value: object): object => ({
  object: "whatsapp_business_account",
  entry: [{ id: wabaId, time: Date.now(), changes: [{ field, value }] }],
});

describe("the partner's endpoint", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let other: TestTenant;
  let partners: Receiver;
  let tenants: Receiver;
  let secret: string;
  let endpointId: string;

  beforeAll(async () => {
    gateway = await startTestGateway({
      env: { HOLD_AFTER: "2", PROBE_EVERY: "100ms", DISABLE_AFTER: "1s", RETRY_SCHEDULE: "50ms" },
    });
    partners = await startReceiver();
    tenants = await startReceiver();
    tenant = await buildTenant(gateway, { name: "Told of" });
    other = await buildTenant(gateway, { name: "Other" });
    const made = await gateway.partner("POST", "/partner/v1/webhook-endpoints", {
      url: `${partners.url}/partner`,
      format: "event",
    });
    expect(made.status, made.body.toString()).toBe(201);
    secret = made.json.secret as string;
    endpointId = made.json.id as string;
    await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${tenants.url}/tenant` },
    });
    await gateway.partner("POST", "/partner/v1/hub/webhook");
  });
  afterAll(async () => {
    await gateway.stop();
    await partners.close();
    await tenants.close();
  });

  const told = (): Told[] =>
    partners.received.map(({ body }) => JSON.parse(body.toString()) as Told);
  const hears = (of: object): Promise<Told> =>
    eventually(() => {
      const found = told().find((one) =>
        Object.entries(of).every(([name, value]) => one[name as keyof Told] === value),
      );
      return Promise.resolve(found);
    });

  it("hears that a tenant's endpoint was disabled, as that tenant's other endpoint does", async () => {
    const broken = await startReceiver();
    broken.answer = (_received, res) => res.writeHead(410).end();
    const endpoint = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${broken.url}/hook`, event_types: ["message.*"] },
    });
    gateway.simulator.receiveMessage({
      phoneNumberId: tenant.phoneNumberId,
      from: USER,
      text: TEXT,
    });
    const heard = await hears({ type: "endpoint.disabled", tenant_id: tenant.id });
    expect(heard.data).toMatchObject({ endpoint_id: endpoint.json.id });
    await eventually(() =>
      Promise.resolve(
        tenants.received.some(({ body }) => body.toString().includes("endpoint.disabled")),
      ),
    );
    await broken.close();
  });

  it("hears of the numbers of every tenant, whichever way the news came", async () => {
    for (const one of [tenant, other]) {
      gateway.simulator.notify(
        one.phoneNumberId,
        change(one.wabaId, "phone_number_quality_update", {
          display_phone_number: "15550001111",
          event: "FLAGGED",
          current_limit: "TIER_1K",
        }),
      );
      const heard = await hears({ type: "number.quality_changed", tenant_id: one.id });
      expect(heard.data).toMatchObject({ event: "FLAGGED", current_limit: "TIER_1K" });
    }
  });

  it("hears of onboarding, with the tenant where there is one", async () => {
    const { channelId } = gateway.simulator.getNumber(tenant.phoneNumberId);
    await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, {
      channel_id: channelId,
    });
    gateway.simulator.postPartnerEvent({ event: "channel_live", channelId });
    const heard = await hears({ type: "onboarding.channel_live", tenant_id: tenant.id });
    expect(heard.data).toMatchObject({ partner_event: "channel_live" });
    gateway.simulator.postPartnerEvent({
      event: "channel_running",
      data: { id: "nobodys", client_id: "nobodys" },
    });
    await hears({ type: "onboarding.channel_running", tenant_id: null });
  });

  it("hears that a customer's number came in, as its tenant does", async () => {
    const customer = customerOf(gateway.url);
    const link = await tenant.call("POST", "/tenant/v1/onboarding-links");
    const page = await customer.open(link.json.url as string);
    const back = await customer.comeBack(await customer.consent(page));
    expect(back.code).toBe("accepted");
    const [channel] = gateway.simulator.listChannels().slice(-1);
    const channelId = channel?.id ?? "";
    gateway.simulator.changeChannel(channelId, { status: "ready", running: true });
    const heard = await hears({ type: "onboarding.running", tenant_id: tenant.id });
    const { phoneNumberId } = gateway.simulator.getChannel(channelId).phoneNumber;
    const { json } = await gateway.partner("GET", `/partner/v1/onboardings/${channelId}`);
    expect(heard.data).toMatchObject({
      stage: "running",
      channel_id: channelId,
      number_id: json.number_id,
      phone_number_id: phoneNumberId,
    });
    const ofTenant = await eventually(async () => {
      const list = await tenant.call("GET", "/tenant/v1/events?type=onboarding.running");
      return list.json.data.length > 0 && list.json.data;
    });
    expect(ofTenant).toHaveLength(1);
    expect(ofTenant[0].data).toEqual(heard.data);
  });

  it("hears that something without an owner came, and not what it says", async () => {
    // A message for the other's number that comes to this one's hook.
    const stray = fixture("message-text");
    const text = JSON.stringify(stray)
      .replaceAll(/"body":"[^"]*"/g, `"body":${JSON.stringify(TEXT)}`)
      .replaceAll(/"(from|wa_id)":"[^"]*"/g, `"$1":"${USER}"`)
      .replaceAll(/"phone_number_id":"[^"]*"/g, `"phone_number_id":"${other.phoneNumberId}"`);
    gateway.simulator.notify(tenant.phoneNumberId, Buffer.from(text));
    const heard = await hears({ type: "message.received" });
    expect(heard).toMatchObject({
      tenant_id: null,
      phone_number_id: other.phoneNumberId,
      data: { content: "withheld", bytes: text.length },
    });
  });

  it("never gets what a user wrote, nor who wrote it, whatever comes", async () => {
    const everything = await startReceiver();
    for (const format of ["cloud_api", "cloudevents"]) {
      const made = await gateway.partner("POST", "/partner/v1/webhook-endpoints", {
        url: `${everything.url}/${format}`,
        format,
      });
      expect(made.status).toBe(201);
    }
    const names = ["message-text", "status-sent", "user-preferences", "template-status", "history"];
    for (const name of [...names, "unknown-field", "message-image", "call-connect"]) {
      const text = JSON.stringify(fixture(name))
        .replaceAll(/"body":"[^"]*"/g, `"body":${JSON.stringify(TEXT)}`)
        .replaceAll(/"(from|wa_id|recipient_id)":"[^"]*"/g, `"$1":"${USER}"`);
      // As it is, which is nobody's here, and as this tenant's.
      gateway.simulator.notify(tenant.phoneNumberId, Buffer.from(text));
      const own = text.replaceAll(
        /"phone_number_id":"[^"]*"/g,
        `"phone_number_id":"${tenant.phoneNumberId}"`,
      );
      gateway.simulator.notify(tenant.phoneNumberId, Buffer.from(own));
    }
    await eventually(() => Promise.resolve(everything.received.length >= 2 * names.length));
    await eventually(async () => {
      const { db } = gateway.database;
      const waiting = db.selectFrom("delivery").select("id").where("tenant_id", "=", "");
      return (await waiting.execute()).length === 0;
    });
    const all = [...everything.received, ...partners.received].map(({ body }) => body.toString());
    expect(all.join("\n")).not.toContain(TEXT);
    expect(all.join("\n")).not.toContain(USER);
    await everything.close();
  });

  it("checks what it gets by its own secret, and is tried, stopped and replayed like a tenant's", async () => {
    const webhook = new Webhook(secret);
    for (const { body, headers } of partners.received) {
      webhook.verify(body.toString(), headers as Record<string, string>);
    }
    const path = `/partner/v1/webhook-endpoints/${endpointId}`;
    const tried = await gateway.partner("POST", `${path}/test`);
    expect(tried.json).toMatchObject({ delivered: true, status: 200 });
    expect((await gateway.partner("POST", `${path}/pause`)).json.state).toBe("paused");
    gateway.simulator.postPartnerEvent({ event: "channel_ready", data: { id: "while-paused" } });
    await eventually(async () => {
      const { json } = await gateway.partner(
        "GET",
        `/partner/v1/deliveries?endpoint_id=${endpointId}&state=held`,
      );
      return (json.data as unknown[]).length === 1;
    });
    expect((await gateway.partner("POST", `${path}/resume`)).json.state).toBe("active");
    await hears({ type: "onboarding.channel_ready" });
    const before = partners.received.length;
    const replayed = await gateway.partner("POST", `${path}/replay`, {
      from: new Date(Date.now() - 60_000).toISOString(),
      to: new Date().toISOString(),
    });
    expect(replayed.status).toBe(202);
    expect(replayed.json.replayed).toBeGreaterThan(2);
    await eventually(() => Promise.resolve(partners.received.length > before));
    const rotated = await gateway.partner("POST", `${path}/secret/rotate`);
    expect(rotated.json.secret).not.toBe(secret);
    const fit = await gateway.partner("POST", `${path}/fitness`);
    expect(fit.json.checks[0]).toMatchObject({ code: "reached", result: "pass" });
  });

  it("follows the rules of a tenant's: of the URL, of its numbers, of versions", async () => {
    const refused = await gateway.partner("POST", "/partner/v1/webhook-endpoints", {
      url: "https://ops_room.example.com:443/",
      phone_number_ids: [tenant.phoneNumberId, "99"],
    });
    expect(refused.status).toBe(422);
    const codes = (refused.json.errors as { code: string }[]).map(({ code }) => code);
    expect(codes).toEqual(
      expect.arrayContaining(["url_host_underscore", "url_port", "unknown_number"]),
    );
    const twice = await gateway.partner("POST", "/partner/v1/webhook-endpoints", {
      url: `${partners.url}/partner`,
    });
    expect((twice.json.errors as { code: string }[])[0]?.code).toBe("url_duplicate");
    const path = `/partner/v1/webhook-endpoints/${endpointId}`;
    const changed = await gateway.partner("PATCH", path, { event_types: ["alert.*"] });
    expect(changed.json.event_types).toEqual(["alert.*"]);
  });

  it("is nobody else's: no tenant sees it, touches it or is told of it", async () => {
    const path = `/tenant/v1/webhook-endpoints/${endpointId}`;
    for (const [method, url] of [
      ["GET", path],
      ["PATCH", path],
      ["DELETE", path],
      ["POST", `${path}/pause`],
      ["POST", `${path}/test`],
    ] as const) {
      const body = method === "PATCH" ? { body: { description: "mine" } } : {};
      const answer = await tenant.call(method, url, body);
      expect([answer.status, answer.json.code]).toEqual([404, "not_found"]);
    }
    for (const list of ["webhook-endpoints", "deliveries", "events"]) {
      const { body } = await tenant.call("GET", `/tenant/v1/${list}?limit=200`);
      expect(body.toString()).not.toContain(endpointId);
    }
    const list = await gateway.partner("GET", "/partner/v1/webhook-endpoints");
    const urls = (list.json.data as { url: string }[]).map(({ url }) => url);
    expect(urls).toContain(`${partners.url}/partner`);
    expect(urls).not.toContain(`${tenants.url}/tenant`);
    expect(
      (await gateway.partner("DELETE", `/partner/v1/webhook-endpoints/${endpointId}`)).status,
    ).toBe(204);
  });

  it("goes on when a tenant goes, and the tenant's endpoints go with it", async () => {
    const rowsOf = async (tenantId: string): Promise<number> => {
      const rows = await gateway.database.db
        .selectFrom("webhook_endpoint")
        .select("id")
        .where("tenant_id", "=", tenantId)
        .execute();
      return rows.length;
    };
    const partnersBefore = await rowsOf("");
    expect(await rowsOf(tenant.id)).toBeGreaterThan(0);
    expect((await gateway.partner("DELETE", `/partner/v1/tenants/${tenant.id}`)).status).toBe(204);
    expect(await rowsOf(tenant.id)).toBe(0);
    expect(await rowsOf("")).toBe(partnersBefore);
    expect(partnersBefore).toBeGreaterThan(0);
  });
});
