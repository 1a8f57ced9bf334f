import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

describe("a delivery", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let receiver: Receiver;

  beforeAll(async () => {
    gateway = await startTestGateway({ env: { RETRY_HORIZON: "3s" } });
    tenant = await buildTenant(gateway);
  });
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());
  afterAll(() => gateway.stop());

  async function addEndpoint(fields: object = {}): Promise<{ id: string; secret: string }> {
    const answer = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${receiver.url}/hook`, timeout_seconds: 1, ...fields },
    });
    expect(answer.status).toBe(201);
    return answer.json as { id: string; secret: string };
  }

  function receiveText(text: string): void {
    gateway.simulator.receiveMessage({
      phoneNumberId: tenant.phoneNumberId,
      from: "15550001111",
      text,
    });
  }

  async function deliveryOf(endpoint: { id: string }, state: string) {
    const found = await eventually(async () => {
      const path = `/tenant/v1/deliveries?endpoint_id=${endpoint.id}&state=${state}`;
      return (await tenant.call("GET", path)).json.data[0] as { id: string } | undefined;
    });
    return (await tenant.call("GET", `/tenant/v1/deliveries/${found.id}`)).json;
  }

  it("is tried again on the schedule, the same id and bytes each time, and each attempt is explained", async () => {
    const endpoint = await addEndpoint();
    const answers = [500, 302, 200];
    receiver.answer = (_received, res) =>
      res.writeHead(answers.shift() ?? 200, { location: "http://127.0.0.1:1/" }).end("so it is");
    receiveText("again");
    const delivery = await deliveryOf(endpoint, "delivered");

    expect(receiver.received.length).toBe(3);
    const [first] = receiver.received;
    for (const { headers, body } of receiver.received) {
      expect(headers["webhook-id"]).toBe(delivery.id);
      expect(body.equals(first?.body ?? Buffer.alloc(0))).toBe(true);
      new Webhook(endpoint.secret).verify(body.toString(), headers as Record<string, string>);
      const hub = createHmac("sha256", endpoint.secret).update(body).digest("hex");
      expect(headers["x-hub-signature-256"]).toBe(`sha256=${hub}`);
    }
    expect(receiver.received.map(({ headers }) => headers["webhook-attempt"])).toEqual([
      "1",
      "2",
      "3",
    ]);
    expect(delivery.attempt_count).toBe(3);
    expect(delivery.attempts).toMatchObject([
      { number: 1, status: 500, outcome: "retry", answer: null },
      { number: 2, status: 302, outcome: "retry" },
      { number: 3, status: 200, outcome: "delivered" },
    ]);
    expect(delivery.attempts[0].next).toMatch(/^Tried again at /);
    await tenant.call("DELETE", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
  });

  it("survives an endpoint that hangs, resets and is not there", async () => {
    const endpoint = await addEndpoint();
    const faults: ((res: { destroy: () => void }) => void)[] = [() => {}, (res) => res.destroy()];
    receiver.answer = (_received, res) => {
      const fault = faults.shift();
      if (fault === undefined) {
        res.writeHead(204).end();
      } else {
        fault(res);
      }
    };
    receiveText("hang");
    const delivery = await deliveryOf(endpoint, "delivered");
    expect(delivery.attempts.map((attempt: { status: number | null }) => attempt.status)).toEqual([
      null,
      null,
      204,
    ]);
    await tenant.call("DELETE", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
  });

  it("is exhausted at the horizon after one last try, kept and listed", async () => {
    const endpoint = await addEndpoint();
    receiver.answer = (_received, res) => res.writeHead(500).end();
    receiveText("never");
    const delivery = await deliveryOf(endpoint, "exhausted");
    expect(delivery.next_attempt_at).toBeNull();
    expect(delivery.attempts.at(-1)).toMatchObject({ outcome: "exhausted", status: 500 });
    expect(delivery.attempts.length).toBe(receiver.received.length);
    await tenant.call("DELETE", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
  });

  it("to an endpoint that answers 410 is held, and the endpoint is disabled", async () => {
    const endpoint = await addEndpoint();
    receiver.answer = (_received, res) => res.writeHead(410).end();
    receiveText("gone");
    await deliveryOf(endpoint, "held");
    const { json } = await tenant.call("GET", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
    expect(json.state).toBe("disabled");
    receiveText("later");
    await eventually(async () => {
      const path = `/tenant/v1/deliveries?endpoint_id=${endpoint.id}&state=held`;
      return (await tenant.call("GET", path)).json.data.length === 2;
    });
    expect(receiver.received.length).toBe(1);
    await tenant.call("DELETE", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
  });

  it("goes to each endpoint under an id of its own, filtered by type, in its format", async () => {
    const whole = await addEndpoint();
    const statuses = await addEndpoint({
      url: `${receiver.url}/statuses`,
      event_types: ["message.status.*"],
      format: "event",
      headers: { "X-Tenant-Key": "abc", "Content-Type": "text/plain" },
    });
    receiveText("hello");
    await tenant.call("POST", "/messages", {
      body: { messaging_product: "whatsapp", to: "15550002222", type: "text", text: { body: "x" } },
    });
    await eventually(() => receiver.received.length >= 7);
    const at = (path: string) => receiver.received.filter(({ url }) => url === path);
    expect([at("/hook").length, at("/statuses").length]).toEqual([4, 3]);
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(7);
    for (const { headers, body } of at("/statuses")) {
      expect(headers["x-tenant-key"]).toBe("abc");
      expect(headers["content-type"]).toBe("application/json");
      new Webhook(statuses.secret).verify(body.toString(), headers as Record<string, string>);
      expect(JSON.parse(body.toString())).toMatchObject({
        id: expect.stringMatching(/^evt_/),
        type: expect.stringMatching(/^message\.status\.(sent|delivered|read)$/),
        tenant_id: tenant.id,
        phone_number_id: tenant.phoneNumberId,
        api_version: "1",
      });
    }
    for (const { id } of [whole, statuses]) {
      await tenant.call("DELETE", `/tenant/v1/webhook-endpoints/${id}`);
    }
  });

  it("that still waits when its endpoint is deleted is cancelled", async () => {
    const endpoint = await addEndpoint();
    receiver.answer = (_received, res) => res.writeHead(503, { "retry-after": "3600" }).end();
    receiveText("waiting");
    await eventually(() => receiver.received.length === 1);
    await deliveryOf(endpoint, "pending");
    await tenant.call("DELETE", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
    const delivery = await deliveryOf(endpoint, "cancelled");
    expect(delivery.finished_at).not.toBeNull();
  });

  it("of a notification that came twice, in another batch, is made once", async () => {
    const endpoint = await addEndpoint();
    const message = {
      from: "15550001111",
      id: "wamid.TWICE",
      timestamp: "1",
      type: "text",
      text: { body: "x" },
    };
    const envelope = (messages: object[]) => ({
      object: "whatsapp_business_account",
      entry: [
        {
          id: tenant.wabaId,
          changes: [
            {
              field: "messages",
              value: {
                messaging_product: "whatsapp",
                metadata: {
                  display_phone_number: "15550000000",
                  phone_number_id: tenant.phoneNumberId,
                },
                messages,
              },
            },
          ],
        },
      ],
    });
    const notifications = [
      gateway.simulator.notify(tenant.phoneNumberId, envelope([message])),
      gateway.simulator.notify(
        tenant.phoneNumberId,
        envelope([{ ...message, id: "wamid.NEW" }, message]),
      ),
      gateway.simulator.notify(tenant.phoneNumberId, envelope([message])),
    ];
    await eventually(() => notifications.every(({ settled }) => settled));
    await eventually(() => receiver.received.length >= 2);
    const ids = receiver.received.map(({ body }) => /wamid\.\w+/.exec(body.toString())?.[0] ?? "");
    expect(ids.toSorted()).toEqual(["wamid.NEW", "wamid.TWICE"]);
    await tenant.call("DELETE", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
  });
});
