import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call, textTo } from "./call.ts";
import { eventually } from "./eventually.ts";

let simulator: Simulator;
let apiKey: string;

beforeAll(async () => {
  simulator = await startSimulator({ statusDelayMs: 1, statuses: ["sent"] });
  ({ apiKey } = simulator.createNumber());
});

afterAll(async () => {
  await simulator.close();
});

const send = async () =>
  await call(`${simulator.url}/messages`, { method: "POST", apiKey, body: textTo("49170") });

describe("failNext", () => {
  it("answers as told, once", async () => {
    simulator.failNext({
      kind: "answer",
      status: 400,
      headers: { "Retry-After": "7" },
      body: { error: "x" },
    });
    const { status, headers, json } = await send();
    expect([status, headers["retry-after"], json]).toEqual([400, "7", { error: "x" }]);
    expect((await send()).status).toBe(200);
  });

  it("answers with what is not JSON", async () => {
    const headers = { "content-type": "text/html" };
    simulator.failNext({ kind: "answer", status: 502, headers, body: "Bad gateway" });
    const answer = await send();
    expect([answer.status, answer.text]).toEqual([502, "Bad gateway"]);
    expect(answer.headers["content-type"]).toBe("text/html");
  });

  it("resets the connection before the headers", async () => {
    simulator.clearNotifications();
    simulator.failNext({ kind: "reset_before_headers" });
    await expect(send()).rejects.toThrow(/ECONNRESET|other side closed/);
    expect(simulator.requests.at(-1)).not.toHaveProperty("status");
    expect(simulator.notifications).toHaveLength(0);
  });

  it("sends the message all the same when told so", async () => {
    simulator.clearNotifications();
    simulator.failNext({ kind: "reset_before_headers", afterHandling: true });
    await expect(send()).rejects.toThrow(/ECONNRESET|other side closed/);
    await eventually(() => expect(simulator.notifications).toHaveLength(1));
  });

  it("sends the message before it answers late, when told so", async () => {
    simulator.clearNotifications();
    simulator.failNext({ kind: "delay", delayMs: 300, afterHandling: true });
    const answered = send();
    await eventually(() => expect(simulator.notifications).toHaveLength(1));
    expect(simulator.requests.at(-1)).not.toHaveProperty("status");
    expect((await answered).status).toBe(200);
  });

  it("breaks off within the answer", async () => {
    simulator.failNext({ kind: "reset_after_headers" });
    await expect(send()).rejects.toThrow(/terminated|other side closed|aborted/);
    expect(simulator.requests.at(-1)?.status).toBe(200);
  });

  it("answers late", async () => {
    simulator.failNext({ kind: "delay", delayMs: 80 });
    const startedMs = performance.now();
    expect((await send()).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(75);
  });

  it("leaves other paths and other numbers alone", async () => {
    simulator.failNext({ kind: "answer", status: 500, phoneNumberId: "another" });
    simulator.failNext({ kind: "answer", status: 500, path: "/health_status" });
    expect((await send()).status).toBe(200);
    expect((await call(`${simulator.url}/health_status?x=1`, { apiKey })).status).toBe(500);
    expect(simulator.listFaults()).toHaveLength(1);
    simulator.clearFaults();
  });

  it("never answers, and close ends that", async () => {
    const other = await startSimulator();
    other.failNext({ kind: "no_answer", path: "*" });
    const unanswered = expect(call(other.url)).rejects.toThrow(/other side closed|ECONNRESET/);
    await eventually(() => expect(other.requests).toHaveLength(1));
    await other.close();
    await unanswered;
  });
});
