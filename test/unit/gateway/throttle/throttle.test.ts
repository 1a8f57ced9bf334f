import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Refusal } from "../../../../src/gateway/throttle/refusal.ts";
import { createThrottle, type Throttle } from "../../../../src/gateway/throttle/throttle.ts";
import { mostInASecond } from "../../../support/offered-load.ts";

const NUMBER = { phoneNumberId: "101", throughput: 80 } as const;
const ERROR = { headers: {}, body: Buffer.from("{}") };

/** A throttle without Redis and a clock that stands still until it is moved. */
function atRest() {
  const clock = { nowMs: 1_000_000 };
  const throttle = createThrottle({ url: undefined, prefix: "test", now: () => clock.nowMs });
  return { clock, throttle };
}

/** Without Redis every answer is there at once. */
function send(
  throttle: Throttle,
  user?: string,
  number = NUMBER as { throughput: 20 | 80 | 1000 },
) {
  const taken = throttle.takeSend({ phoneNumberId: "101", ...number }, user);
  expect(taken).not.toBeInstanceOf(Promise);
  return taken as Refusal | undefined;
}

function sendMany(throttle: Throttle, count: number, user?: string): number {
  const results = Array.from({ length: count }, () => send(throttle, user));
  return results.filter((refusal) => refusal === undefined).length;
}

describe("the throttle of a number", () => {
  it("lets a burst of its whole throughput through at once, and then no more", () => {
    const { throttle } = atRest();
    expect(sendMany(throttle, 100)).toBe(80);
    expect(send(throttle)).toEqual({
      limit: "number",
      retryAfterSeconds: 2,
      remaining: 0,
      quota: 80,
      windowSeconds: 1,
    });
  });

  it("never lets more through in a sliding second, and refuses none that could go", () => {
    const steps = fc.array(
      fc.record({
        gapMs: fc.integer({ min: 0, max: 700 }),
        calls: fc.integer({ min: 1, max: 60 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(20 as const, 80 as const), (all, throughput) => {
        const { clock, throttle } = atRest();
        const admittedMs: number[] = [];
        for (const { gapMs, calls } of all) {
          clock.nowMs += gapMs;
          for (let i = 0; i < calls; i += 1) {
            if (send(throttle, undefined, { throughput }) === undefined) {
              admittedMs.push(clock.nowMs);
            } else {
              const counted = admittedMs.filter((atMs) => atMs > clock.nowMs - 1025);
              expect(counted).toHaveLength(throughput);
            }
          }
        }
        expect(mostInASecond(admittedMs)).toBeLessThanOrEqual(throughput);
      }),
    );
  });

  it("says when to come back, and keeps its word", () => {
    const { clock, throttle } = atRest();
    sendMany(throttle, 80);
    clock.nowMs += 100;
    const refusal = send(throttle);
    clock.nowMs += (refusal?.retryAfterSeconds ?? 0) * 1000;
    expect(sendMany(throttle, 100)).toBe(80);
  });

  it("follows the number's setting when it changes", () => {
    const { throttle } = atRest();
    expect(send(throttle, undefined, { throughput: 20 })).toBeUndefined();
    expect(sendMany(throttle, 100)).toBe(79);
    expect(send(throttle, undefined, { throughput: 1000 })).toBeUndefined();
  });

  it("counts each number, and uploads, for themselves", () => {
    const { throttle } = atRest();
    sendMany(throttle, 80);
    const other = { ...NUMBER, phoneNumberId: "102" };
    expect(throttle.takeSend(other, undefined)).toBeUndefined();
    const uploads = Array.from({ length: 40 }, () => throttle.takeUpload(NUMBER));
    expect(uploads.filter((refusal) => refusal === undefined)).toHaveLength(25);
    expect(uploads.at(-1)).toMatchObject({ limit: "upload", quota: 25 });
  });

  it("tells in advance what it would say, and takes nothing", () => {
    const { throttle } = atRest();
    for (let i = 0; i < 200; i += 1) {
      expect(throttle.peekSend(NUMBER, "u")).toBeUndefined();
    }
    expect(sendMany(throttle, 45, "u")).toBe(45);
    expect(throttle.peekSend(NUMBER, "u")).toMatchObject({ limit: "pair" });
    sendMany(throttle, 80);
    expect(throttle.peekSend(NUMBER, "v")).toMatchObject({ limit: "number" });
  });
});

describe("the throttle of a pair", () => {
  it("decides like a purse that fills by one send in six seconds and holds 45", () => {
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60_000 })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(gaps, (all) => {
        const { clock, throttle } = atRest();
        let purseMs = 270_000;
        for (const gapMs of all) {
          clock.nowMs += gapMs;
          purseMs = Math.min(270_000, purseMs + gapMs);
          const mayGo = purseMs >= 6000;
          purseMs -= mayGo ? 6000 : 0;
          expect(send(throttle, "u") === undefined).toBe(mayGo);
          // So that the number's own limit stays out of it.
          clock.nowMs += 20;
          purseMs = Math.min(270_000, purseMs + 20);
        }
      }),
    );
  });

  it("takes both slots or none", () => {
    const { clock, throttle } = atRest();
    expect(sendMany(throttle, 60, "u")).toBe(45);
    expect(sendMany(throttle, 60)).toBe(35);
    expect(send(throttle, "v")).toMatchObject({ limit: "number" });
    clock.nowMs += 2000;
    expect(sendMany(throttle, 60, "v")).toBe(45);
  });

  it("names itself, its burst and its window", () => {
    const { throttle } = atRest();
    sendMany(throttle, 45, "u");
    expect(send(throttle, "u")).toEqual({
      limit: "pair",
      retryAfterSeconds: 6,
      remaining: 0,
      quota: 45,
      windowSeconds: 270,
    });
  });
});

const answer = (status: number, body: object, retryAfter?: string, user?: string) => ({
  limit: "number" as const,
  status,
  headers: retryAfter === undefined ? {} : { "retry-after": retryAfter },
  user,
  body: Buffer.from(JSON.stringify(body)),
});

describe("what the throttle learns", () => {
  it("from a 429 is to wait as long as it says, at half the speed, and to recover", () => {
    const { clock, throttle } = atRest();
    throttle.learn(NUMBER, answer(429, {}, "7"));
    expect(send(throttle)).toMatchObject({ limit: "number", retryAfterSeconds: 7 });
    clock.nowMs += 7000;
    expect(sendMany(throttle, 100)).toBe(40);
    clock.nowMs += 5000;
    expect(sendMany(throttle, 100)).toBe(80);
  });

  it("halves with each new signal down to a sixteenth, and doubles every five seconds", () => {
    const { clock, throttle } = atRest();
    const slower: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      throttle.learn(NUMBER, answer(400, { error: { code: 130429 } }));
      clock.nowMs += 1100;
      slower.push(sendMany(throttle, 100));
    }
    expect(slower).toEqual([40, 20, 10, 5, 5, 5]);
    const faster = [5000, 5000, 5000, 5000].map((gapMs) => {
      clock.nowMs += gapMs;
      return sendMany(throttle, 100);
    });
    expect(faster).toEqual([10, 20, 40, 80]);
  });

  it("takes the complaints of calls that were under way together for one", () => {
    const { clock, throttle } = atRest();
    for (let i = 0; i < 40; i += 1) {
      throttle.learn(NUMBER, answer(429, {}));
    }
    clock.nowMs += 1000;
    expect(sendMany(throttle, 100)).toBe(40);
  });

  it("from 131056 is to leave that pair alone, longer each time in a row", () => {
    const { clock, throttle } = atRest();
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 7; i += 1) {
      throttle.learn(NUMBER, answer(403, { error: { code: 131056 } }, undefined, "u"));
      throttle.learn(NUMBER, answer(403, { error: { code: 131056 } }, undefined, "u"));
      const waitSeconds = send(throttle, "u")?.retryAfterSeconds;
      waits.push(waitSeconds);
      clock.nowMs += (waitSeconds ?? 0) * 1000;
    }
    // The burst is empty, so that even the first time the next send is six seconds away.
    expect(waits).toEqual([6, 16, 64, 256, 1024, 3600, 3600]);
    expect(sendMany(throttle, 5, "u")).toBe(5);
    expect(send(throttle, "v")).toBeUndefined();
  });

  it("from a failed status is the same", () => {
    const { throttle } = atRest();
    throttle.learnFromStatus("101", "u", 131056);
    expect(send(throttle, "u")).toMatchObject({ limit: "pair" });
    throttle.learnFromStatus("101", undefined, 130429);
    expect(sendMany(throttle, 100)).toBe(40);
    throttle.learnFromStatus("101", "u", 131047);
    throttle.learnFromStatus("101", undefined, 131056);
    expect(sendMany(throttle, 100)).toBe(0);
  });

  it("concerns the limit that was in use", () => {
    const { throttle } = atRest();
    throttle.learn(NUMBER, { ...ERROR, limit: "upload", status: 429, user: undefined });
    throttle.learn(NUMBER, { ...ERROR, limit: "media_lookup", status: 429, user: undefined });
    expect(sendMany(throttle, 100)).toBe(80);
    const uploads = Array.from({ length: 40 }, () => throttle.takeUpload(NUMBER));
    expect(uploads.filter((refusal) => refusal === undefined)).toHaveLength(12);
    expect(throttle.takeMediaLookup(NUMBER, "m")).toMatchObject({ retryAfterSeconds: 60 });
  });

  it("is nothing from any other answer", () => {
    const { throttle } = atRest();
    for (const status of [200, 201, 400, 401, 403, 404, 500, 503]) {
      throttle.learn(NUMBER, answer(status, { error: { code: 131047, message: "(#131047) x" } }));
    }
    expect(sendMany(throttle, 100)).toBe(80);
  });
});
