import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/simulator/json.ts";
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../../../src/simulator/simulator.ts";
import { call, textTo } from "./call.ts";
import { eventually } from "./eventually.ts";
import { startReceiver } from "./receiver.ts";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map(async (close) => await close()));
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ webhookRetryDelaysMs: [20], ...options });
  closers.push(simulator.close);
  return simulator;
}

async function receive(...parameters: Parameters<typeof startReceiver>) {
  const receiver = await startReceiver(...parameters);
  closers.push(receiver.close);
  return receiver;
}

async function createNumberWithWebhook(simulator: Simulator, url: string) {
  const created = simulator.createNumber();
  await setWebhook(simulator, created.apiKey, url);
  return created;
}

async function setWebhook(simulator: Simulator, apiKey: string, url: string): Promise<void> {
  const { status } = await call(`${simulator.url}/v1/configs/webhook`, {
    method: "POST",
    apiKey,
    body: { url, headers: { "X-Hook-Secret": "s3" } },
  });
  expect(status).toBe(200);
}

const statusesIn = (texts: { text: string }[]): JsonObject[] =>
  texts.map(({ text }) => JSON.parse(text).entry[0].changes[0].value.statuses[0]);

describe("an inbound message", () => {
  it("reaches the webhook with the headers that were set", async () => {
    const [simulator, receiver] = [await start(), await receive()];
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    const { messageId, notification } = simulator.receiveMessage({
      phoneNumberId,
      from: "4917012345678",
      text: "Hello",
    });
    await eventually(() => expect(notification.settled).toBe(true));
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]).toMatchObject({
      url: "/hook",
      headers: { "content-type": "application/json", "x-hook-secret": "s3" },
    });
    expect(receiver.received[0]?.text).toContain(messageId);
    expect(notification).toMatchObject({ outcome: "delivered", attempts: [{ status: 200 }] });
  });
});

describe("notify", () => {
  it("posts bytes as they are and all else as JSON", async () => {
    const [simulator, receiver] = [await start(), await receive()];
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    simulator.notify(phoneNumberId, Buffer.from("not { json"));
    simulator.notify(phoneNumberId, { any: 1 });
    await eventually(() => expect(receiver.received).toHaveLength(2));
    expect(receiver.received.map(({ text }) => text).toSorted()).toEqual([
      "not { json",
      '{"any":1}',
    ]);
  });
});

describe("an accepted message", () => {
  it("is sent, delivered and read, with its callback data", async () => {
    const [simulator, receiver] = [await start({ statusDelayMs: 40 }), await receive()];
    const { apiKey } = await createNumberWithWebhook(simulator, receiver.url);
    const message = textTo("4917012345678", { biz_opaque_callback_data: "order 7" });
    const { json } = await call(`${simulator.url}/messages`, {
      method: "POST",
      apiKey,
      body: message,
    });
    await eventually(() => expect(receiver.received).toHaveLength(3));
    const common = { recipient_id: "4917012345678", biz_opaque_callback_data: "order 7" };
    // Told in the order of their making: on the way one may overtake another.
    const statuses = statusesIn(
      simulator.notifications.map(({ body }) => ({ text: body.toString() })),
    );
    expect(json["messages"]).toEqual([{ id: statuses[0]?.["id"] }]);
    expect(statuses).toMatchObject([
      { status: "sent", ...common },
      { status: "delivered", ...common },
      { status: "read", ...common },
    ]);
  });

  it.each([131026, 131047, 131049])("fails for a recipient that ends in %s", async (code) => {
    const [simulator, receiver] = [await start({ statusDelayMs: 5 }), await receive()];
    const { apiKey } = await createNumberWithWebhook(simulator, receiver.url);
    const body = textTo(`49170${code}`);
    const { status } = await call(`${simulator.url}/messages`, { method: "POST", apiKey, body });
    expect(status).toBe(200);
    await eventually(() => expect(receiver.received).toHaveLength(1));
    expect(statusesIn(receiver.received)).toMatchObject([{ status: "failed", errors: [{ code }] }]);
  });
});

describe("retries", () => {
  it.each([
    ["204", { statusCode: 204 }],
    ["201", { statusCode: 201 }],
    ["a redirect", { statusCode: 302, location: "/elsewhere" }],
    ["503", { statusCode: 503 }],
  ])("take %s for a failure, and end with a 200", async (_name, { statusCode, ...headers }) => {
    const simulator = await start();
    const receiver = await receive((res) => {
      res.writeHead(statusCode, headers).end();
    });
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    const notification = simulator.notify(phoneNumberId, { any: 1 });
    await eventually(() => expect(notification.attempts.length).toBeGreaterThanOrEqual(2));
    expect(notification.settled).toBe(false);
    receiver.respondWith((res) => {
      res.end();
    });
    await eventually(() => expect(notification.settled).toBe(true));
    expect(new Set(receiver.received.map(({ url }) => url))).toEqual(new Set(["/hook"]));
    expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
    expect(notification.attempts.at(0)?.status).toBe(statusCode);
    expect(notification.attempts.at(-1)?.status).toBe(200);
  });

  it("follow a receiver that gives no answer in time, and one that hangs up", async () => {
    const simulator = await start({ webhookTimeoutMs: 50 });
    const receiver = await receive(() => {});
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    const notification = simulator.notify(phoneNumberId, { any: 1 });
    await eventually(() => expect(notification.attempts).toHaveLength(1));
    expect(notification.attempts[0]?.error).toBe("no answer within 50 ms");
    receiver.respondWith((res) => res.socket?.destroy());
    await eventually(() =>
      expect(notification.attempts.at(-1)?.error).toMatch(/UND_ERR_SOCKET|ECONNRESET/),
    );
    expect(notification.settled).toBe(false);
  });

  it("end at the horizon", async () => {
    const simulator = await start({ webhookHorizonMs: 500 });
    const receiver = await receive((res) => {
      res.writeHead(500).end();
    });
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    const notification = simulator.notify(phoneNumberId, { any: 1 });
    await eventually(() => expect(notification.settled).toBe(true));
    expect(notification.outcome).toBe("expired");
    expect(notification.attempts.length).toBeGreaterThan(1);
  });

  it("do not hold up other notifications", async () => {
    const simulator = await start({ webhookRetryDelaysMs: [3_600_000] });
    const receiver = await receive((res, { text }) => {
      res.writeHead(text.includes("bad") ? 500 : 200).end();
    });
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    const bad = simulator.notify(phoneNumberId, { bad: true });
    await eventually(() => expect(bad.attempts).toHaveLength(1));
    const good = simulator.notify(phoneNumberId, { good: true });
    await eventually(() => expect(good.settled).toBe(true));
    expect(bad.settled).toBe(false);
  });

  it("keep what came in between a rotation and the new webhook", async () => {
    const [simulator, receiver] = [await start(), await receive()];
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    const apiKey = simulator.rotateKey(phoneNumberId);
    const { notification } = simulator.receiveMessage({ phoneNumberId, from: "49", text: "Hi" });
    await eventually(() => expect(notification.attempts.length).toBeGreaterThan(0));
    expect(notification.attempts[0]?.error).toBe("the number has no webhook");
    await setWebhook(simulator, apiKey, receiver.url);
    await eventually(() => expect(notification.outcome).toBe("delivered"));
    expect(receiver.received).toHaveLength(1);
  });
});

describe("close", () => {
  it("breaks off an attempt that is under way and does not try again", async () => {
    const receiver = await receive(() => {});
    const simulator = await startSimulator({ webhookRetryDelaysMs: [1] });
    const { phoneNumberId } = await createNumberWithWebhook(simulator, receiver.url);
    const notification = simulator.notify(phoneNumberId, { any: 1 });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await simulator.close();
    expect(notification.attempts).toMatchObject([{ error: "the simulator stops" }]);
    expect(notification.settled).toBe(false);
  });
});
