import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadPackage } from "../clients/packages.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";

const HEADERS = { Authorization: "Bearer of the receiver", "X-Hidden": "a value of ours" };

/** What the verifiers of real clients make of a delivery, given the endpoint's secret. */
describe.each([
  ["cloud_api", "its only secret"],
  ["cloud_api", "the newer of two secrets"],
  ["event", "the newer of two secrets"],
  ["cloudevents", "its only secret"],
] as const)("a delivery in the format %s, signed with %s,", (format, secrets) => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let receiver: Receiver;
  let secret: string;
  let olderSecret: string | undefined;
  let delivery: Received;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    tenant = await buildTenant(gateway);
    receiver = await startReceiver();
    const path = "/tenant/v1/webhook-endpoints";
    const made = await tenant.call("POST", path, {
      body: { url: `${receiver.url}/hook`, format, headers: HEADERS },
    });
    secret = made.json.secret as string;
    if (secrets === "the newer of two secrets") {
      olderSecret = secret;
      const rotated = await tenant.call("POST", `${path}/${made.json.id}/secret/rotate`);
      secret = rotated.json.secret as string;
    }
    gateway.simulator.receiveMessage({
      phoneNumberId: tenant.phoneNumberId,
      from: "15550001111",
      text: "Grüße 👋 \"'<>&/",
    });
    delivery = await eventually(() => receiver.received[0]);
  });
  afterAll(async () => {
    await gateway.stop();
    await receiver.close();
  });

  /** The same body with another letter in its text. */
  const spoilt = () => Buffer.from(delivery.body.toString().replace("Gr", "gr"));
  const signatureHeader = () => String(delivery.headers["x-hub-signature-256"]);

  it("is verified by @kapso/whatsapp-cloud-api, and one changed byte is not", async () => {
    const kapso = await loadPackage("@kapso/whatsapp-cloud-api/server");
    const given = { appSecret: secret, rawBody: delivery.body, signatureHeader: signatureHeader() };
    expect(kapso.verifySignature(given)).toBe(true);
    expect(kapso.verifySignature({ ...given, rawBody: spoilt() })).toBe(false);
    expect(kapso.verifySignature({ ...given, appSecret: `${secret}x` })).toBe(false);
  });

  it.each([
    ["8.4.0", "great-detail-whatsapp-8"],
    ["9.2.0", "great-detail-whatsapp-9"],
  ] as const)(
    "is verified by @great-detail/whatsapp %s, and one changed byte is not",
    async (_version, name) => {
      const { Client } = await loadPackage(name);
      const { webhook } = new Client({ graphVersion: "v23.0", request: { headers: {} } });
      const notified = (body: Buffer) =>
        webhook.eventNotification({
          method: delivery.method,
          headers: delivery.headers,
          body: body.toString(),
        });
      await (await notified(delivery.body)).verifySignature(secret);
      await expect((await notified(spoilt())).verifySignature(secret)).rejects.toThrow("Signature");
      await expect((await notified(delivery.body)).verifySignature(`${secret}x`)).rejects.toThrow(
        "Signature",
      );
    },
  );

  it("is verified by standardwebhooks with each secret that lives, and one changed byte is not", () => {
    const headers = delivery.headers as Record<string, string>;
    const verify = (body: Buffer, by = secret): unknown => new Webhook(by).verify(body, headers);
    for (const live of [secret, olderSecret].filter((each) => each !== undefined)) {
      expect(verify(delivery.body, live)).toEqual(JSON.parse(delivery.body.toString()));
      expect(() => verify(spoilt(), live)).toThrow("No matching signature");
    }
    const foreign = `whsec_${Buffer.from("a secret of somebody else's, 32 b").toString("base64")}`;
    expect(() => verify(delivery.body, foreign)).toThrow("No matching signature");
    const otherId = { ...headers, "webhook-id": `${headers["webhook-id"]}x` };
    expect(() => new Webhook(secret).verify(delivery.body, otherId)).toThrow("No matching");
  });

  it("carries the endpoint's own headers, which nothing else ever shows", async () => {
    expect(delivery.headers).toMatchObject({
      authorization: HEADERS.Authorization,
      "x-hidden": HEADERS["X-Hidden"],
    });
    const shown = await tenant.call("GET", "/tenant/v1/webhook-endpoints");
    const deliveries = await tenant.call("GET", "/tenant/v1/deliveries");
    expect(shown.json.data[0].header_names).toEqual(Object.keys(HEADERS));
    const rows = await gateway.database.db.selectFrom("webhook_endpoint").selectAll().execute();
    const sealed = rows.map((row) => row.headers_sealed?.toString("latin1"));
    for (const seen of [shown.body.toString(), deliveries.body.toString(), ...sealed]) {
      expect(seen).not.toMatch(/of the receiver|value of ours/);
    }
  });

  if (format === "cloud_api") {
    it("is read by @kapso/whatsapp-cloud-api as Meta's own", async () => {
      const kapso = await loadPackage("@kapso/whatsapp-cloud-api/server");
      expect(kapso.normalizeWebhook(JSON.parse(delivery.body.toString()))).toMatchObject({
        phoneNumberId: tenant.phoneNumberId,
        messages: [{ from: "15550001111", type: "text" }],
      });
    });
  }
});
