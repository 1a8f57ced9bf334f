import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
});

afterAll(async () => {
  await simulator.close();
});

const BYTES = randomBytes(1_000);

async function post(apiKey: string, path: string, body?: Buffer, offset = 0) {
  const response = await fetch(`${simulator.url}${path}`, {
    method: "POST",
    headers: { "D360-API-KEY": apiKey, file_offset: String(offset) },
    ...(body === undefined ? {} : { body }),
  });
  const json = (await response.json()) as Record<string, unknown>;
  return { status: response.status, json };
}
const start = "/uploads?file_name=a.jpg&file_length=1000&file_type=image/jpeg";

describe("resumable uploads", () => {
  it("go on where they were broken off, and end with a handle", async () => {
    const { apiKey } = simulator.createNumber();
    const { json: started } = await post(apiKey, start);
    expect(started).toEqual({ id: expect.stringMatching(/^upload:[\w-]+$/) });
    const path = `/${String(started["id"])}`;
    const half = await post(apiKey, path, BYTES.subarray(0, 400));
    expect([half.status, half.json]).toEqual([200, { id: started["id"], file_offset: 400 }]);
    expect((await call(simulator.url + path, { apiKey })).json).toEqual(half.json);
    expect((await post(apiKey, path, BYTES.subarray(300), 300)).status).toBe(400);
    const whole = await post(apiKey, path, BYTES.subarray(400), 400);
    expect(whole).toEqual({ status: 200, json: { h: expect.stringMatching(/^2:/) } });
  });

  it("are of one number only, and need to know what comes", async () => {
    const { apiKey } = simulator.createNumber();
    const { json } = await post(apiKey, start);
    const other = simulator.createNumber();
    expect((await call(`${simulator.url}/${String(json["id"])}`, other)).status).toBe(400);
    expect((await post(apiKey, "/uploads?file_type=image/jpeg")).status).toBe(400);
  });
});
