import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  textMessage,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

describe("the main job", () => {
  let gateway: TestGateway;
  let receiver: Receiver;

  beforeAll(async () => {
    gateway = await startTestGateway();
    receiver = await startReceiver();
  });
  afterAll(async () => {
    await gateway.stop();
    await receiver.close();
  });

  it("sends a tenant's text with the number's key, and delivers its statuses and the reply signed", async () => {
    const tenant = await buildTenant(gateway);
    const endpoint = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${receiver.url}/hook` },
    });
    expect(endpoint.status).toBe(201);

    const sent = await tenant.call("POST", "/messages", {
      body: textMessage("15550001111", "Hello"),
    });
    expect(sent.status).toBe(200);
    expect(sent.headers["gateway-message-id"]).toMatch(/^msg_[0-9a-z]{26}$/);
    const wamid = sent.json.messages[0].id as string;

    const upstream = gateway.simulator.requests.at(-1);
    expect(upstream?.headers["d360-api-key"]).toBe(tenant.apiKey);
    expect(upstream?.rawHeaders.join("\n")).not.toContain(tenant.token);

    gateway.simulator.receiveMessage({
      phoneNumberId: tenant.phoneNumberId,
      from: "15550001111",
      text: "Hi there",
    });
    await eventually(() => receiver.received.length >= 4);

    const webhook = new Webhook(endpoint.json.secret as string);
    const kinds = receiver.received.map(({ body, headers }) => {
      const verified = webhook.verify(body.toString(), headers as Record<string, string>) as {
        entry: { changes: { value: { statuses?: { id: string; status: string }[] } }[] }[];
      };
      const value = verified.entry[0]?.changes[0]?.value;
      return value?.statuses?.[0] === undefined
        ? "message"
        : `${value.statuses[0].status} ${value.statuses[0].id === wamid}`;
    });
    expect(kinds.toSorted()).toEqual(["delivered true", "message", "read true", "sent true"]);

    // No list shows an event while an earlier transaction is open, anywhere on the server.
    const events = await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/events");
      return json.data.length > 3 && (json.data as { type: string }[]);
    });
    expect(events.map(({ type }) => type).toSorted()).toEqual([
      "message.received",
      "message.status.delivered",
      "message.status.read",
      "message.status.sent",
    ]);
    const delivered = await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/deliveries?state=delivered");
      return json.data.length === 4 && (json.data as { id: string }[]);
    });
    const detail = await tenant.call("GET", `/tenant/v1/deliveries/${delivered[0]?.id}`);
    expect(detail.json.attempts).toMatchObject([{ number: 1, status: 200, outcome: "delivered" }]);
  });
});
