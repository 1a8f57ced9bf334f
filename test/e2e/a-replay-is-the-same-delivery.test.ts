import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

describe("a replay", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let receiver: Receiver;
  let endpointId: string;

  beforeAll(async () => {
    gateway = await startTestGateway({ env: { RETRY_HORIZON: "1s" } });
    tenant = await buildTenant(gateway);
    receiver = await startReceiver();
    const made = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${receiver.url}/hook`, timeout_seconds: 1 },
    });
    endpointId = made.json.id;
  });
  afterAll(async () => {
    await gateway.stop();
    await receiver.close();
  });

  function receiveText(text: string): void {
    const { phoneNumberId } = tenant;
    gateway.simulator.receiveMessage({ phoneNumberId, from: "15550001111", text });
  }

  const deliveryIn = async (state: string) =>
    eventually(async () => {
      const path = `/tenant/v1/deliveries?endpoint_id=${endpointId}&state=${state}`;
      const found = (await tenant.call("GET", path)).json.data.at(-1) as { id: string } | undefined;
      return found && (await tenant.call("GET", `/tenant/v1/deliveries/${found.id}`)).json;
    });
  const replayOne = (id: string, token?: string) =>
    tenant.call("POST", `/tenant/v1/deliveries/${id}/replay`, { ...(token && { token }) });
  const replayMany = (body: object) =>
    tenant.call("POST", `/tenant/v1/webhook-endpoints/${endpointId}/replay`, { body });

  it("of an exhausted delivery has its id and its bytes, counts on, and is marked", async () => {
    receiver.answer = (_received, res) => res.writeHead(500).end();
    receiveText("once more");
    const before = await deliveryIn("exhausted");
    expect(before.replayed_at).toBeNull();
    receiver.answer = (_received, res) => res.writeHead(200).end();
    const { status, json } = await replayOne(before.id);
    expect(status).toBe(202);
    expect(json).toMatchObject({ replayed: 1, hastened: 0, not_replayed: [], continue_from: null });
    const after = await deliveryIn("delivered");
    expect(after).toMatchObject({ id: before.id, event_id: before.event_id });
    expect(after.created_at).toBe(before.created_at);
    expect(after.replayed_at).not.toBeNull();
    const number = before.attempt_count + 1;
    expect(after.attempts.at(-1)).toMatchObject({ number, outcome: "delivered" });
    expect(after.attempts.at(-1).reason).toContain("the first since the replay of");
    const [first, last] = [receiver.received[0], receiver.received.at(-1)];
    expect(last?.headers["webhook-id"]).toBe(before.id);
    expect(last?.headers["webhook-attempt"]).toBe(String(number));
    expect(last?.body).toEqual(first?.body);
  });

  it("of what failed since a time, of a span, and of named ones says how many", async () => {
    const { id } = await deliveryIn("delivered");
    expect((await replayMany({ failed_since: "2000-01-01T00:00:00Z" })).json).toMatchObject({
      replayed: 0,
      last_due_at: null,
    });
    const span = { from: "2000-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z" };
    expect((await replayMany(span)).json).toMatchObject({ replayed: 1 });
    await deliveryIn("delivered");
    const named = { delivery_ids: [id, "dlv_00000000000000000000000000", "nonsense"] };
    expect((await replayMany(named)).json).toMatchObject({
      replayed: 1,
      not_replayed: named.delivery_ids.slice(1),
    });
    await deliveryIn("delivered");
  });

  it("takes exactly one way to say which", async () => {
    for (const body of [
      {},
      { delivery_ids: [] },
      { delivery_ids: ["x"], failed_since: "2000-01-01T00:00:00Z" },
      { from: "2000-01-01T00:00:00Z" },
      { failed_since: "2000-06-30T23:59:60Z" },
    ]) {
      expect((await replayMany(body)).status).toBe(422);
    }
  });

  it("by a token for other numbers finds nothing", async () => {
    const { id } = await deliveryIn("delivered");
    const { phoneNumberId } = await addNumber(gateway, tenant.id);
    const path = `/partner/v1/tenants/${tenant.id}/clients`;
    const made = await gateway.partner("POST", path, { phone_number_ids: [phoneNumberId] });
    const token = await fetchToken(gateway.url, {
      id: made.json.client_id,
      secret: made.json.client_secret,
    });
    expect((await replayOne(id, token)).status).toBe(404);
  });
});
