import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextAttempt } from "../../../src/fanout/schedule.ts";

const policy = { scheduleMs: [5000, 30_000, 120_000], horizonMs: 3_600_000 };
const calm = { sinceMs: 0, nowMs: 0, retryAfterMs: 0, policy, random: 0 };

describe("the next attempt", () => {
  it.each([
    ["the first", 1, 5000],
    ["the second", 2, 30_000],
    ["the third", 3, 120_000],
    ["any later one, by the last delay", 9, 120_000],
  ])("after %s follows the schedule", (_name, attemptNumber, atMs) => {
    expect(nextAttempt({ ...calm, attemptNumber })).toEqual({ kind: "retry", atMs });
  });

  it("is at most a quarter of the delay later, by chance", () => {
    expect(nextAttempt({ ...calm, attemptNumber: 1, random: 1 })).toEqual({
      kind: "retry",
      atMs: 6250,
    });
  });

  it.each([
    ["is not before the endpoint asked to be", 7000, 7000],
    ["is not sooner because the endpoint asked for less than the schedule", 1000, 5000],
    ["is at the horizon when the endpoint asks for more", 999_999_999_000, 3_600_000],
  ])("%s", (_name, retryAfterMs, atMs) => {
    expect(nextAttempt({ ...calm, attemptNumber: 1, retryAfterMs })).toEqual({
      kind: "retry",
      atMs,
    });
  });

  it.each([
    ["just before the horizon is at it", 3_599_999, { kind: "retry", atMs: 3_600_000 }],
    ["at the horizon is none", 3_600_000, { kind: "exhausted" }],
    ["past the horizon is none", 9_000_000, { kind: "exhausted" }],
  ])("%s", (_name, nowMs, expected) => {
    expect(nextAttempt({ ...calm, attemptNumber: 9, nowMs })).toEqual(expected);
  });

  const anyPolicy = fc.record({
    scheduleMs: fc.array(fc.integer({ min: 1, max: 14_400_000 }), { minLength: 1, maxLength: 9 }),
    horizonMs: fc.integer({ min: 1, max: 604_800_000 }),
  });
  const random = fc.double({ min: 0, max: 1, noNaN: true });

  it("keeps the schedule's delay, is at most 25 % later, and never past the horizon", () => {
    fc.assert(
      fc.property(
        ...([anyPolicy, fc.integer({ min: 1, max: 50 }), fc.nat(), fc.nat(), random] as const),
        (given, attemptNumber, sinceMs, laterMs, chance) => {
          const nowMs = sinceMs + laterMs;
          const next = nextAttempt({
            policy: given,
            attemptNumber,
            sinceMs,
            nowMs,
            retryAfterMs: 0,
            random: chance,
          });
          const deadlineMs = sinceMs + given.horizonMs;
          if (nowMs >= deadlineMs) {
            expect(next).toEqual({ kind: "exhausted" });
            return;
          }
          const { scheduleMs } = given;
          const delayMs = scheduleMs[Math.min(attemptNumber, scheduleMs.length) - 1] ?? 0;
          const atMs = next.kind === "retry" ? next.atMs : Number.NaN;
          expect(atMs).toBeLessThanOrEqual(Math.min(nowMs + delayMs * 1.25, deadlineMs));
          expect(atMs).toBeGreaterThanOrEqual(Math.min(nowMs + delayMs, deadlineMs));
          expect(atMs).toBeGreaterThan(nowMs);
        },
      ),
    );
  });

  it("makes the last try exactly at the horizon, and then there is none", () => {
    fc.assert(
      fc.property(anyPolicy, random, fc.nat({ max: 3_600_000 }), (given, chance, retryAfterMs) => {
        fc.pre(given.horizonMs / Math.min(...given.scheduleMs) < 1000);
        const sinceMs = 1_750_000_000_000;
        let atMs = sinceMs;
        for (let attemptNumber = 1; ; attemptNumber++) {
          const next = nextAttempt({
            policy: given,
            attemptNumber,
            sinceMs,
            nowMs: atMs,
            retryAfterMs,
            random: chance,
          });
          if (next.kind === "exhausted") {
            break;
          }
          atMs = next.atMs;
        }
        expect(atMs).toBe(sinceMs + given.horizonMs);
      }),
    );
  });
});
