import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call, textTo } from "./call.ts";
import { eventually } from "./eventually.ts";
import { startReceiver } from "./receiver.ts";

let simulator: Simulator;
let control: string;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
  control = `${simulator.url}/simulator`;
});

afterAll(async () => {
  await simulator.close();
});

describe("control API", () => {
  it("explains itself", async () => {
    const { status, text } = await call(control);
    expect(status).toBe(200);
    expect(text).toContain("POST /simulator/numbers/ID/messages");
    expect(text).toContain("131026");
  });

  it("makes, lists, changes and shows numbers, and rotates keys", async () => {
    const body = { phone_number_id: "106540352242922", waba_id: "102290129340398" };
    const made = await call(`${control}/numbers`, { method: "POST", body });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ ...body, webhook: null, api_key: expect.any(String) });
    expect((await call(`${control}/numbers`, { method: "POST", body })).status).toBe(409);

    const number = `${control}/numbers/106540352242922`;
    const changed = await call(number, { method: "PATCH", body: { not_running: true } });
    expect(changed.json).toMatchObject({ not_running: true, disabled: false });
    const rotated = await call(`${number}/rotate-key`, { method: "POST" });
    expect(rotated.json["api_key"]).not.toBe(made.json["api_key"]);
    expect((await call(number)).json).toEqual(rotated.json);
    expect((await call(`${control}/numbers`)).json["numbers"]).toEqual([rotated.json]);
  });

  it("lets a user write, and shows what came of it", async () => {
    const receiver = await startReceiver();
    const { phoneNumberId, apiKey } = simulator.createNumber();
    await call(`${simulator.url}/v1/configs/webhook`, {
      method: "POST",
      apiKey,
      body: { url: receiver.url },
    });
    const number = `${control}/numbers/${phoneNumberId}`;
    const written = await call(`${number}/messages`, {
      method: "POST",
      body: { from: "49170", text: "Hello", profile_name: "Ada" },
    });
    expect([written.status, written.json["phone_number_id"]]).toEqual([202, phoneNumberId]);
    await call(`${number}/notifications`, { method: "POST", body: { any: 1 } });
    await eventually(() => expect(receiver.received).toHaveLength(2));
    await eventually(async () => {
      const { json } = await call(`${control}/notifications`);
      expect(json["notifications"]).toMatchObject([
        { settled: true, outcome: "delivered", attempts: [{ status: 200, url: receiver.url }] },
        { settled: true, body: { any: 1 } },
      ]);
    });
    expect((await call(`${control}/notifications`, { method: "DELETE" })).status).toBe(204);
    expect(simulator.notifications).toEqual([]);
    await receiver.close();
  });

  it("scripts faults and lists requests", async () => {
    const { apiKey } = simulator.createNumber();
    simulator.clearRequests();
    const fault = { kind: "answer", status: 429, body: { error: "slow down" }, times: 2 };
    expect((await call(`${control}/faults`, { method: "POST", body: fault })).status).toBe(201);
    const send = { method: "POST", apiKey, body: textTo("49170") } as const;
    expect((await call(`${simulator.url}/messages`, send)).status).toBe(429);
    expect((await call(`${control}/faults`)).json["faults"]).toMatchObject([
      { ...fault, times: 1, path: "/messages" },
    ]);
    expect((await call(`${control}/faults`, { method: "DELETE" })).status).toBe(204);
    expect((await call(`${simulator.url}/messages`, send)).status).toBe(200);
    expect((await call(`${control}/requests`)).json["requests"]).toMatchObject([
      { method: "POST", url: "/messages", status: 429, body: textTo("49170") },
      { status: 200 },
    ]);
    expect((await call(`${control}/requests`, { method: "DELETE" })).status).toBe(204);
    expect(simulator.requests).toEqual([]);
  });

  it.each([
    ["POST", "/numbers/1/messages", { from: "49170", text: "Hello" }, 404],
    ["POST", "/numbers/1/notifications", { any: 1 }, 404],
    ["PATCH", "/numbers/1", {}, 404],
    ["POST", "/numbers", { phone_number: "1" }, 400],
    ["POST", "/numbers", [], 400],
    ["POST", "/faults", { kind: "fire" }, 400],
    ["POST", "/unknown", {}, 404],
  ] as const)("%s %s with %j answers %s with a JSON error", async (method, path, body, status) => {
    const answer = await call(control + path, { method, body });
    expect(answer.status).toBe(status);
    expect(answer.json["error"]).toEqual(expect.any(String));
  });

  it("refuses an inbound message with nothing in it", async () => {
    const { phoneNumberId } = simulator.createNumber();
    const url = `${control}/numbers/${phoneNumberId}/messages`;
    expect((await call(url, { method: "POST", body: { from: "49170" } })).status).toBe(400);
  });
});
