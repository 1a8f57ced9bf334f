import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

describe("an endpoint", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let receiver: Receiver;
  let endpoint: { id: string };

  beforeAll(async () => {
    gateway = await startTestGateway({
      env: {
        RETRY_SCHEDULE: "50ms",
        RETRY_HORIZON: "2s",
        HOLD_AFTER: "5",
        PROBE_EVERY: "300ms",
        DISABLE_AFTER: "3s",
      },
    });
  });
  beforeEach(async () => {
    tenant = await buildTenant(gateway);
    receiver = await startReceiver();
    endpoint = await addEndpoint(receiver.url);
  });
  afterEach(() => receiver.close());
  afterAll(() => gateway.stop());

  async function addEndpoint(url: string, fields: object = {}): Promise<{ id: string }> {
    const answer = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${url}/hook`, timeout_seconds: 1, ...fields },
    });
    expect(answer.status).toBe(201);
    return answer.json as { id: string };
  }

  function receiveTexts(count: number): void {
    for (let index = 0; index < count; index += 1) {
      gateway.simulator.receiveMessage({
        phoneNumberId: tenant.phoneNumberId,
        from: "15550001111",
        text: `text ${index}`,
      });
    }
  }

  const stateIs = (state: string): Promise<boolean> =>
    eventually(async () => {
      const { json } = await tenant.call("GET", `/tenant/v1/webhook-endpoints/${endpoint.id}`);
      return json.state === state;
    });

  async function deliveries(state: string): Promise<{ id: string }[]> {
    const path = `/tenant/v1/deliveries?endpoint_id=${endpoint.id}&state=${state}`;
    return (await tenant.call("GET", path)).json.data as { id: string }[];
  }

  async function attemptsInWords(deliveryIds: string[]): Promise<string> {
    const answers = await Promise.all(
      deliveryIds.map((id) => tenant.call("GET", `/tenant/v1/deliveries/${id}`)),
    );
    return JSON.stringify(answers.map(({ json }) => json.attempts));
  }

  it("is held after failures in a row, probed with one call at a time, and resumed by a success", async () => {
    receiver.answer = (_received, res) => res.writeHead(500).end();
    receiveTexts(20);
    await stateIs("held");
    const held = await eventually(async () => {
      const found = await deliveries("held");
      return found.length === 20 ? found : undefined;
    });
    expect(held[0]).toMatchObject({ state: "held", next_attempt_at: null });

    const atHold = receiver.received.length;
    await eventually(() => receiver.received.length >= atHold + 2);
    const probes = receiver.received.slice(atHold);
    expect(probes[1]!.atMs - probes[0]!.atMs).toBeGreaterThanOrEqual(300);

    // Longer than the horizon: it does not run while the endpoint is held.
    const [first] = probes;
    await eventually(() => Date.now() - first!.atMs > 2100);
    expect(await deliveries("exhausted")).toEqual([]);
    receiver.answer = (_received, res) => res.writeHead(200).end();
    await eventually(async () => (await deliveries("delivered")).length === 20);
    await stateIs("active");
    const told = await attemptsInWords(held.map(({ id }) => id));
    expect(told).toMatch(/the probe of a held endpoint/);
    expect(told).toMatch(/Held: the endpoint has failed \d+ times in a row and is probed from/);
  });

  it("that fails too long is disabled, of which the tenant's other endpoints are told once", async () => {
    const other = await startReceiver();
    await addEndpoint(other.url, { event_types: ["endpoint.*"], format: "event" });
    receiver.answer = (_received, res) => res.writeHead(500).end();
    receiveTexts(1);
    await stateIs("disabled");
    const told = await eventually(() => other.received[0]);
    expect(JSON.parse(told.body.toString())).toMatchObject({
      type: "endpoint.disabled",
      data: { endpoint_id: endpoint.id },
    });
    receiveTexts(1);
    await eventually(async () => (await deliveries("held")).length === 2);
    expect(other.received.length).toBe(1);
    await other.close();
  });

  it("that asks for a pause gets nothing until it is over", async () => {
    let answered = 0;
    receiver.answer = (_received, res) =>
      answered++ === 0
        ? res.writeHead(429, { "retry-after": "1" }).end()
        : res.writeHead(200).end();
    receiveTexts(1);
    const first = await eventually(() => receiver.received[0]);
    receiveTexts(3);
    await eventually(async () => (await deliveries("delivered")).length === 4);
    const later = receiver.received.slice(1).map(({ atMs }) => atMs - first.atMs);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(1000);
  });
});
