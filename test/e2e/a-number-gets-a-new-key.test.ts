import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { BOOTSTRAP, startTestGateway, type TestGateway, textMessage } from "../support/gateway.ts";
import { buildRotatingTenant, type RotatingTenant } from "../support/rotating-number.ts";

const body = textMessage("15550001111", "hello");

describe("a number's key", () => {
  let gateway: TestGateway;
  let tenant: RotatingTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildRotatingTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const keysAt360dialog = (channelId: string): number =>
    gateway.simulator.getChannel(channelId).keys.length;

  const alertsOf = async ({ phoneNumberId }: RotatingTenant): Promise<unknown> => {
    const path = `/partner/v1/alerts?phone_number_id=${phoneNumberId}`;
    return (await gateway.partner("GET", path)).json.data;
  };

  const hears = async (of: RotatingTenant, text: string): Promise<void> => {
    const { phoneNumberId } = of;
    gateway.simulator.receiveMessage({ phoneNumberId, from: "15550009999", text });
    await eventually(async () => {
      const { body: events } = await of.call("GET", "/tenant/v1/events?type=message.received");
      return events.includes(text);
    });
  };

  it("is changed with its webhook, and its history tells when, why, who and for how long", async () => {
    const { simulator } = gateway;
    const before = simulator.getNumber(tenant.phoneNumberId);
    const { status, json } = await tenant.rotate();
    expect(status).toBe(200);
    expect(json).toMatchObject({
      number_id: tenant.numberId,
      reason: "manual",
      actor: BOOTSTRAP.id,
      outcome: "rotated",
      code: null,
    });
    expect(json.gap_ms).toBeGreaterThanOrEqual(0);
    const after = simulator.getNumber(tenant.phoneNumberId);
    expect(after.apiKey).not.toBe(before.apiKey);
    expect(after.apiKey.endsWith(json.key_last4 as string)).toBe(true);
    expect(after.webhook?.url).not.toBe(before.webhook?.url);
    expect((await tenant.call("POST", "/messages", { body })).status).toBe(200);
    await hears(tenant, "after the rotation");

    await gateway.partner("POST", tenant.keyPath, { api_key: after.apiKey });
    const history = await tenant.history();
    expect(history.map(({ reason, outcome }) => [reason, outcome])).toEqual([
      ["given", "rotated"],
      ["manual", "rotated"],
    ]);
    expect(JSON.stringify(history)).not.toContain(after.apiKey);
  });

  it("is changed by one of two who want it at once", async () => {
    const made = keysAt360dialog(tenant.channelId);
    const both = await Promise.all([tenant.rotate(), tenant.rotate()]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]));
    expect(both.find(({ status }) => status === 409)?.json.code).toBe("rotation_in_progress");
    expect(keysAt360dialog(tenant.channelId)).toBe(made + 1);
  });

  it("cannot be changed without a channel, and that of a missing number is not found", async () => {
    const path = `/partner/v1/numbers/${tenant.numberId}`;
    await gateway.partner("PATCH", path, { channel_id: null });
    const refused = await tenant.rotate();
    expect([refused.status, refused.json.errors[0].code]).toEqual([422, "channel_id_missing"]);
    await gateway.partner("PATCH", path, { channel_id: tenant.channelId });
    const none = "/partner/v1/numbers/num_00000000000000000000000000/api-key";
    expect((await gateway.partner("POST", `${none}/rotate`)).status).toBe(404);
    expect((await gateway.partner("GET", `${none}/history`)).status).toBe(404);
  });

  it("stays as it is when 360dialog refuses a new one", async () => {
    const own = await buildRotatingTenant(gateway);
    gateway.simulator.changeChannel(own.channelId, { permission: "missing" });
    const refused = await own.rotate();
    expect(refused.status).toBe(422);
    expect(await own.history()).toMatchObject([{ outcome: "failed", code: "invalid_request" }]);
    expect((await own.call("POST", "/messages", { body })).status).toBe(200);
  });

  it("that is to be used elsewhere is not kept, nor sent there, and the number says so", async () => {
    const own = await buildRotatingTenant(gateway);
    const address = "https://keys.example.com";
    gateway.simulator.changeChannel(own.channelId, { address });
    const refused = await own.rotate();
    expect([refused.status, refused.json.errors[0].code]).toEqual([422, "address_not_allowed"]);
    expect(refused.json.detail).toContain(address);
    expect(await own.state()).toBe("key_rejected");
    expect(await own.history()).toMatchObject([{ outcome: "failed", code: "address_not_allowed" }]);
    const answer = await own.call("POST", "/messages", { body });
    expect([answer.status, answer.json.code]).toEqual([502, "api_key_rejected"]);
    // It is left to people: nothing is made again by itself.
    await sleep(3000);
    expect(await own.history()).toHaveLength(1);
    gateway.simulator.changeChannel(own.channelId, { address: null });
    expect((await own.rotate()).status).toBe(200);
    expect(await own.state()).toBe("running");
    expect((await own.call("POST", "/messages", { body })).status).toBe(200);
  });

  it("that changes under a streamed upload sends it back with 503 key_rotating", async () => {
    const own = await buildRotatingTenant(gateway);
    const { promise: rotated, resolve: goOn } = Promise.withResolvers<void>();
    const uploading = request(`${gateway.url}/media`, {
      method: "POST",
      headers: { authorization: `Bearer ${own.token}`, "content-type": "multipart/form-data" },
      body: inTwoParts(rotated) as never,
    });
    await sleep(300);
    expect((await own.rotate()).status).toBe(200);
    goOn();
    const answer = await uploading;
    const problem = (await answer.body.json()) as { code: string };
    expect([answer.statusCode, problem.code]).toEqual([503, "key_rotating"]);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect(await own.state()).toBe("running");
  });

  it("that is revoked behind our back is told once, replaced by itself, and nobody hammers 360dialog", async () => {
    const own = await buildRotatingTenant(gateway);
    const { simulator } = gateway;
    simulator.clearRequests();
    simulator.rotateKey(own.phoneNumberId);
    const sends: Promise<number>[] = [];
    for (let i = 0; i < 150; i += 1) {
      const to = textMessage(`1555000${1000 + i}`, "hello");
      sends.push(own.call("POST", "/messages", { body: to }).then(({ status }) => status));
      await sleep(20);
    }
    expect(new Set(await Promise.all(sends))).toEqual(new Set([502]));
    const asked = simulator.requests.filter(({ url }) => url === "/messages").length;
    expect(asked).toBeLessThan(10);
    await eventually(async () => (await own.state()) === "running", { withinMs: 10_000 });
    await eventually(async () => (await own.history())[0]?.outcome !== null);
    expect(await own.history()).toMatchObject([{ reason: "healing", outcome: "rotated" }]);
    expect((await own.call("POST", "/messages", { body })).status).toBe(200);
    await hears(own, "after the healing");
    const told = await eventually(async () => {
      const { json } = await own.call("GET", "/tenant/v1/events?type=number.key_rejected");
      return json.data.length > 0 && json.data;
    });
    expect(told).toHaveLength(1);
    expect(await alertsOf(own)).toMatchObject([
      { kind: "key_rejected", state: "cleared", count: 1 },
    ]);
  });

  it("that cannot be replaced is tried again only after a while", async () => {
    const own = await buildRotatingTenant(gateway);
    gateway.simulator.changeChannel(own.channelId, { permission: "missing" });
    gateway.simulator.rotateKey(own.phoneNumberId);
    expect((await own.call("POST", "/messages", { body })).json.code).toBe("api_key_rejected");
    await eventually(async () => (await own.history())[0]?.outcome === "failed");
    await sleep(3000);
    expect(await own.history()).toMatchObject([{ reason: "healing", outcome: "failed" }]);
    expect(await own.state()).toBe("key_rejected");
    expect(await alertsOf(own)).toMatchObject([{ kind: "key_rejected", state: "open", count: 1 }]);
    // A key by hand ends it too.
    const { apiKey } = gateway.simulator.getNumber(own.phoneNumberId);
    expect((await gateway.partner("POST", own.keyPath, { api_key: apiKey })).status).toBe(200);
    expect(await alertsOf(own)).toMatchObject([{ state: "cleared" }]);
  });
});

/** A file whose end comes when it is told to. */
async function* inTwoParts(goOn: Promise<void>): AsyncGenerator<Buffer> {
  yield Buffer.alloc(1000);
  await goOn;
  yield Buffer.alloc(1000);
}
