import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";

let simulator: Simulator;
let settings: string;

beforeAll(async () => {
  simulator = await startSimulator();
  settings = `${simulator.url}/v1/configs/webhook`;
});

afterAll(async () => {
  await simulator.close();
});

describe("/v1/configs/webhook", () => {
  it("answers 404 before anything is set, and what was set afterwards", async () => {
    const { apiKey } = simulator.createNumber();
    expect((await call(settings, { apiKey })).status).toBe(404);
    const webhook = { url: "https://example.com/hook", headers: { Authorization: "Basic abc" } };
    const set = await call(settings, { method: "POST", apiKey, body: webhook });
    expect([set.status, set.json]).toEqual([200, webhook]);
    expect(set.headers["content-type"]).toBe("application/json");
    expect((await call(settings, { apiKey })).json).toEqual(webhook);
  });

  it.each([
    ["no JSON object", []],
    ["no url", { headers: {} }],
    ["an underscore in the domain", { url: "https://your_webhook.example.com" }],
    ["a port", { url: "https://example.com:3000" }],
    ["plain HTTP", { url: "http://example.com" }],
    ["headers that are no texts", { url: "https://example.com", headers: { a: 1 } }],
    ["a header that would split", { url: "https://example.com", headers: { a: "b\r\nc: d" } }],
  ])("refuses %s and keeps what was set", async (_name, body) => {
    const { apiKey } = simulator.createNumber();
    const { status, json } = await call(settings, { method: "POST", apiKey, body });
    expect(status).toBe(400);
    expect(json["meta"]).toMatchObject({
      success: false,
      http_code: 400,
      details: [expect.any(String)],
    });
    expect((await call(settings, { apiKey })).status).toBe(404);
  });
});
