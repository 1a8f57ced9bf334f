import { afterEach, describe, expect, it } from "vitest";
import { type Limits, type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call, readReceipt, textTo } from "./call.ts";

const started: Simulator[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((simulator) => simulator.close()));
});

async function start(limits: Limits = {}) {
  const simulator = await startSimulator({ statuses: [], limits });
  started.push(simulator);
  const { apiKey, phoneNumberId } = simulator.createNumber();
  const send = (body: unknown = textTo("49170"), path = "/messages") =>
    call(simulator.url + path, { method: "POST", apiKey, body });
  return { simulator, apiKey, phoneNumberId, send };
}

// So slow that no test can wait for the next slot by accident.
const SLOW = { everyMs: 3_600_000, burst: 1 };

describe("the throughput of a number", () => {
  it.each([400, 403, 429] as const)("beyond its limit answers 130429 with %s", async (status) => {
    const { send } = await start({ throughput: { perSecond: 0, status } });
    const answer = await send();
    expect([answer.status, answer.json["error"]]).toMatchObject([status, { code: 130429 }]);
    expect((await send(readReceipt)).status).toBe(200);
  });

  it("is counted over a second, for each number", async () => {
    const { simulator, send } = await start({ throughput: { perSecond: 1, status: 429 } });
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => (await send(textTo(`4917${index}0`))).status),
    );
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
    const { apiKey } = simulator.createNumber();
    const options = { method: "POST", apiKey, body: textTo("49170") } as const;
    expect((await call(`${simulator.url}/messages`, options)).status).toBe(200);
  });

  it("may be another for one number", async () => {
    const { simulator, phoneNumberId, send } = await start();
    simulator.setLimits({ throughput: { perSecond: 0, status: 400 } }, phoneNumberId);
    expect((await send()).status).toBe(400);
    simulator.setLimits({}, phoneNumberId);
    expect((await send()).status).toBe(200);
  });
});

describe("one user's messages", () => {
  it("beyond the pair's limit answer 131056, other users' do not", async () => {
    const { send } = await start({ pair: { ...SLOW, status: 403 } });
    expect((await send()).status).toBe(200);
    const second = await send();
    expect([second.status, second.json["error"]]).toMatchObject([403, { code: 131056 }]);
    expect((await send(textTo("49171"))).status).toBe(200);
  });
});

describe("360dialog's own limits", () => {
  const text = "You have exceeded the endpoint rate limit.";

  it.each([
    ["A", { meta: { success: false, http_code: 400, developer_message: text } }],
    ["B", { meta: { success: false, httpCode: 400, developerMessage: text } }],
    ["C", { error: text }],
  ] as const)("answer 400 in form %s", async (form, expected) => {
    const { send } = await start({ endpoint: { perSecond: 0, path: "/mess*", form } });
    const { status, json, headers } = await send();
    expect([status, json]).toEqual([400, expected]);
    expect(headers).not.toHaveProperty("x-fb-trace-id");
    expect((await send({}, "/media")).text).not.toContain(text);
  });

  it("hold uploads, and nothing else", async () => {
    const { send } = await start({ uploads: { perSecond: 0, form: "C" } });
    expect((await send({}, "/media")).json).toEqual({ error: text });
    expect((await send()).status).toBe(200);
  });
});

describe("PUT /simulator/limits", () => {
  it("sets and lifts limits, for all and for one", async () => {
    const { simulator, phoneNumberId, send } = await start();
    const put = (path: string, body: object) =>
      call(`${simulator.url}/simulator${path}`, { method: "PUT", body });
    const whole = {
      throughput: { per_second: 0 },
      pair: { every_ms: 6_000, burst: 45, status: 400 },
      endpoint: { per_second: 10, path: "/media", form: "B" },
      uploads: { per_second: 25 },
    };
    expect((await put("/limits", whole)).status).toBe(204);
    expect((await send()).status).toBe(429);
    expect((await put(`/numbers/${phoneNumberId}/limits`, {})).status).toBe(204);
    expect((await send()).status).toBe(200);
    for (const wrong of [
      { pair: {} },
      { throughput: { per_second: 1, status: 418 } },
      { all: 1 },
    ]) {
      expect((await put("/limits", wrong)).status).toBe(400);
    }
    expect((await put("/numbers/1/limits", {})).status).toBe(404);
  });
});
