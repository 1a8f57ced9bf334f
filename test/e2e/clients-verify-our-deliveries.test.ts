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

/** What the verifiers of real clients make of a delivery, given the endpoint's secret. */
describe("a delivery", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let receiver: Receiver;
  let secret: string;
  let delivery: Received;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    tenant = await buildTenant(gateway);
    receiver = await startReceiver();
    const made = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${receiver.url}/hook` },
    });
    secret = made.json.secret as string;
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

  it("is read by @kapso/whatsapp-cloud-api as Meta's own", async () => {
    const kapso = await loadPackage("@kapso/whatsapp-cloud-api/server");
    expect(kapso.normalizeWebhook(JSON.parse(delivery.body.toString()))).toMatchObject({
      phoneNumberId: tenant.phoneNumberId,
      messages: [{ from: "15550001111", type: "text" }],
    });
  });
});
