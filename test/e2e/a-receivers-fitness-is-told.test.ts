import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Answer } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const PATH = "/tenant/v1/webhook-endpoints";

type Report = { grade: string; checks: { code: string; result: string; detail: string }[] };

let gateway: TestGateway;
let tenant: TestTenant;
let receiver: Receiver;
beforeAll(async () => {
  gateway = await startTestGateway();
});
beforeEach(async () => {
  tenant = await buildTenant(gateway);
  receiver = await startReceiver();
  return () => receiver.close();
});
afterAll(() => gateway.stop());

async function create(body: object = {}): Promise<{ id: string; secret: string }> {
  const answer = await tenant.call("POST", PATH, { body: { url: receiver.url, ...body } });
  return answer.json as { id: string; secret: string };
}

const test = (id: string): Promise<Answer> => tenant.call("POST", `${PATH}/${id}/fitness`);
const results = (report: Report): Record<string, string> =>
  Object.fromEntries(report.checks.map(({ code, result }) => [code, result]));

/** A receiver as it should be: it checks each signature and answers at once. */
function careful(secret: string): Receiver["answer"] {
  return ({ headers, body }, res) => {
    try {
      new Webhook(secret).verify(body, headers as Record<string, string>);
      res.writeHead(200).end();
    } catch {
      res.writeHead(401).end();
    }
  };
}

describe("the fitness of a receiver", () => {
  it("passes where everything is borne and a wrong signature refused", async () => {
    const { id, secret } = await create();
    receiver.answer = careful(secret);
    const startedMs = performance.now();
    const { status, json } = await test(id);
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect([status, results(json)]).toEqual([
      200,
      {
        reached: "pass",
        median_time: "pass",
        slow_share: "pass",
        answers_2xx: "pass",
        duplicate: "pass",
        wrong_signature: "pass",
        large_body: "pass",
      },
    ]);
    expect(json.grade).toBe("pass");
    expect(receiver.received.every(({ body }) => body.includes("webhook.ping"))).toBe(true);
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids.length - new Set(ids).size).toBe(1);
    expect(Math.max(...receiver.received.map(({ body }) => body.length))).toBeGreaterThan(3e6);
    expect((await tenant.call("GET", "/tenant/v1/deliveries")).json.data).toEqual([]);
  });

  it("fails where signatures are not checked, large bodies refused, a duplicate is an error", async () => {
    const { id } = await create();
    const seen = new Set<unknown>();
    receiver.answer = ({ headers, body }, res) => {
      const isNew = !seen.has(headers["webhook-id"]);
      seen.add(headers["webhook-id"]);
      res.writeHead(body.length > 100_000 ? 413 : isNew ? 200 : 409).end();
    };
    const { json } = await test(id);
    expect(results(json)).toMatchObject({
      answers_2xx: "pass",
      duplicate: "fail",
      wrong_signature: "fail",
      large_body: "fail",
    });
    expect(json.grade).toBe("fail");
    expect(JSON.stringify(json)).toContain("The endpoint answered 409.");
  });

  it("tells of answers that are no success, and of a signature that breaks it", async () => {
    const { id } = await create();
    receiver.answer = (_got, res) => res.writeHead(500).end();
    expect(results((await test(id)).json)).toMatchObject({
      reached: "pass",
      answers_2xx: "fail",
      wrong_signature: "warn",
    });
  });

  it("of one that does not answer is told at once, and nothing else is sent", async () => {
    const { id } = await create({ timeout_seconds: 1 });
    receiver.answer = (_got, res) => res.destroy();
    const { json } = await test(id);
    expect([json.grade, results(json)]).toEqual(["fail", { reached: "fail" }]);
    expect(receiver.received).toHaveLength(1);
  });

  it("of a slow one is told in bounded time, one test after the other", async () => {
    const { id } = await create({ max_in_flight: 2 });
    const waiting: (() => void)[] = [];
    let first = true;
    receiver.answer = (_got, res) => {
      waiting.push(() => res.writeHead(200).end());
      if (first) {
        first = false;
        waiting[0]?.();
      }
    };
    const startedMs = performance.now();
    const running = test(id);
    await eventually(() => waiting.length >= 3);
    const second = await test(id);
    expect([second.status, second.json.code]).toEqual([429, "rate_limited"]);
    expect(second.headers["retry-after"]).toBeDefined();
    const { json } = await running;
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect(results(json)).toMatchObject({
      median_time: "fail",
      slow_share: "fail",
      answers_2xx: "fail",
    });
    receiver.answer = (_got, res) => res.writeHead(200).end();
    expect((await test(id)).status).toBe(200);
  });
});
