import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";
import { eventually } from "./eventually.ts";
import { startReceiver } from "./receiver.ts";

let simulator: Simulator;
let own: Awaited<ReturnType<typeof startReceiver>>;
let other: Awaited<ReturnType<typeof startReceiver>>;

beforeEach(async () => {
  [simulator, own, other] = await Promise.all([
    startSimulator({ statuses: [], webhookRetryDelaysMs: [20] }),
    startReceiver(),
    startReceiver(),
  ]);
});

afterEach(async () => {
  await Promise.all([simulator.close(), own.close(), other.close()]);
});

function caller(wabaId?: string) {
  const number = simulator.createNumber(wabaId === undefined ? {} : { wabaId });
  const on = (method: "GET" | "POST" | "PUT" | "PATCH", path: string, body?: unknown) =>
    call(simulator.url + path, { method, apiKey: number.apiKey, ...(body ? { body } : {}) });
  return { ...number, on };
}

const destinationNamed = (name: string) => ({ name, url: `https://example.com/${name}` });

describe("/waba_webhook", () => {
  it("serves the WABA's numbers that have no webhook of their own", async () => {
    const first = caller();
    const second = caller(first.wabaId);
    await first.on("POST", "/v1/configs/webhook", { url: own.url });
    const set = await first.on("POST", "/waba_webhook", { url: other.url });
    expect([set.status, set.json]).toEqual([200, { url: other.url, headers: {} }]);
    simulator.notify(first.phoneNumberId, { to: "first" });
    simulator.notify(second.phoneNumberId, { to: "second" });
    await eventually(() => {
      expect(own.received.map(({ text }) => text)).toEqual(['{"to":"first"}']);
      expect(other.received.map(({ text }) => text)).toEqual(['{"to":"second"}']);
    });
  });

  it("takes the place of the numbers' own when told so", async () => {
    const { on, phoneNumberId } = caller();
    await on("POST", "/v1/configs/webhook", { url: own.url });
    await on("POST", "/waba_webhook", { url: other.url, override_all: true });
    simulator.notify(phoneNumberId, { any: 1 });
    await eventually(() => expect(other.received).toHaveLength(1));
    expect((await on("GET", "/v1/configs/webhook")).status).toBe(404);
    expect((await on("POST", "/waba_webhook", { url: "http://example.com" })).status).toBe(400);
  });
});

describe("/multi_webhook", () => {
  it("sends copies once the number's own webhook has answered 200", async () => {
    const { on, phoneNumberId } = caller();
    await on("POST", "/v1/configs/webhook", { url: own.url });
    const crm = { name: "crm", url: other.url, headers: { "x-crm": "1" } };
    const set = await on("POST", "/multi_webhook", { enabled: true, destinations: [crm] });
    expect(set.json).toEqual({ message: "Operation started successfully" });
    own.respondWith((res) => res.writeHead(500).end());
    const notification = simulator.notify(phoneNumberId, { any: 1 });
    await eventually(() => expect(notification.attempts.length).toBeGreaterThan(1));
    expect(other.received).toEqual([]);
    own.respondWith((res) => res.end());
    await eventually(() => expect(other.received).toHaveLength(1));
    expect(other.received[0]).toMatchObject({ text: '{"any":1}', headers: { "x-crm": "1" } });
    expect(simulator.notifications.map(({ destination }) => destination)).toEqual([
      undefined,
      "crm",
    ]);
  });

  it("is read, added to, changed by name, and kept within its rules", async () => {
    const { on } = caller();
    expect((await on("GET", "/multi_webhook")).json).toEqual({ enabled: false, destinations: [] });
    const added = { destinations: [destinationNamed("b")] };
    expect((await on("PUT", "/multi_webhook", added)).status).toBe(409);
    await on("POST", "/multi_webhook", { enabled: true, destinations: [destinationNamed("a")] });
    expect((await on("PUT", "/multi_webhook", added)).status).toBe(200);
    const change = { name: "b", url: "https://example.com/c" };
    expect((await on("PATCH", "/multi_webhook", change)).status).toBe(200);
    const kept = await on("GET", "/multi_webhook");
    expect(kept.json).toEqual({
      enabled: true,
      destinations: [
        { ...destinationNamed("a"), headers: {} },
        { ...change, headers: {} },
      ],
    });
    for (const [method, body, status] of [
      ["PUT", { destinations: [destinationNamed("a")] }, 409],
      ["PUT", { destinations: [destinationNamed("c"), destinationNamed("d")] }, 409],
      ["PUT", { destinations: [{ url: "https://example.com/x" }] }, 400],
      ["PUT", { destinations: "none" }, 400],
      ["POST", [], 400],
      ["PATCH", { name: "unknown" }, 404],
    ] as const) {
      expect((await on(method, "/multi_webhook", body)).status).toBe(status);
    }
    expect((await on("GET", "/multi_webhook")).json).toEqual(kept.json);
  });
});
