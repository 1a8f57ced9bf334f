import { describe, expect, it } from "vitest";
import {
  afterAttempt,
  type Condition,
  RAMP_START_PER_SECOND,
  type Sign,
  SOUND,
} from "../../../src/fanout/condition.ts";

const policy = { holdAfter: 10, probeEveryMs: 30_000, disableAfterMs: 5 * 86_400_000 };

const sign = (kind: Sign["kind"], fields: Partial<Sign> = {}): Sign => ({
  kind,
  retryAfterMs: 0,
  probe: false,
  ...fields,
});

/** What these signs, `everyMs` apart, make of a condition. */
function after(before: Condition, signs: Sign[], { fromMs = 0, everyMs = 0 } = {}): Condition {
  return signs.reduce(
    (condition, each, index) =>
      afterAttempt(condition, each, { nowMs: fromMs + index * everyMs, policy }),
    before,
  );
}

const times = (count: number, each: Sign): Sign[] => Array.from({ length: count }, () => each);
const HELD = after(SOUND, times(10, sign("failure")));

describe("an endpoint that fails", () => {
  it("is held after ten failures in a row, and probed half a minute later", () => {
    expect(after(SOUND, times(9, sign("failure"))).state).toBe("active");
    expect(HELD).toMatchObject({ state: "held", failureCount: 10, probeAtMs: 30_000 });
  });

  it("is not held when a success comes between", () => {
    const signs = [...times(9, sign("failure")), sign("success"), ...times(9, sign("failure"))];
    expect(after(SOUND, signs)).toMatchObject({ state: "active", failureCount: 9 });
  });

  it("counts 503 as a failure and 429 as none", () => {
    expect(after(SOUND, times(10, sign("busy_failure"))).state).toBe("held");
    expect(after(SOUND, times(50, sign("busy")))).toMatchObject({
      state: "active",
      failureCount: 0,
    });
  });

  it("is disabled at once by 410", () => {
    expect(after(SOUND, [sign("gone")]).state).toBe("disabled");
  });

  it("is disabled when it has failed for five days without a success", () => {
    const probes = times(2, sign("failure", { probe: true }));
    const almost = { fromMs: policy.disableAfterMs - 1, everyMs: 1 };
    expect(after(HELD, probes.slice(1), almost).state).toBe("held");
    expect(after(HELD, probes, almost).state).toBe("disabled");
  });

  it("that is paused or disabled stays so, whatever attempts under way come to", () => {
    for (const state of ["paused", "disabled"] as const) {
      const stopped = { ...SOUND, state };
      expect(after(stopped, [sign("success"), sign("failure"), sign("gone")])).toEqual(stopped);
    }
  });
});

describe("a held endpoint", () => {
  it("is probed ever more seldom, at least every five minutes", () => {
    let condition = HELD;
    const gaps = [1, 2, 3, 4, 5].map(() => {
      const nowMs = condition.probeAtMs ?? Number.NaN;
      condition = afterAttempt(condition, sign("failure", { probe: true }), { nowMs, policy });
      return (condition.probeAtMs ?? Number.NaN) - nowMs;
    });
    expect(gaps).toEqual([60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  it("is not probed later because of what was under way when it was held", () => {
    expect(after(HELD, times(5, sign("failure")))).toMatchObject({ probeAtMs: 30_000 });
  });

  it("is not probed before it asked to be", () => {
    const probe = sign("busy_failure", { probe: true, retryAfterMs: 600_000 });
    expect(after(HELD, [probe], { fromMs: 30_000 })).toMatchObject({ probeAtMs: 630_000 });
  });

  it("goes on after one success, slowly, and its next failure is a first one", () => {
    expect(after(HELD, [sign("success", { probe: true })])).toEqual({
      ...SOUND,
      rampPerSecond: RAMP_START_PER_SECOND,
    });
  });
});

describe("the ramp", () => {
  const RAMPED: Condition = { ...SOUND, rampPerSecond: 64 };

  it("doubles in a second of successes, and ends when there is nothing left to limit", () => {
    expect(after(RAMPED, times(64, sign("success"))).rampPerSecond).toBe(128);
    expect(after(RAMPED, times(1000, sign("success")))).toEqual(SOUND);
  });

  it("falls by a tenth for complaints of one second, and rises by steps after that", () => {
    const slowed = after(RAMPED, times(20, sign("busy")), { everyMs: 10 });
    expect(slowed.rampPerSecond).toBeCloseTo(57.6);
    expect(after(RAMPED, times(3, sign("busy")), { everyMs: 1000 }).rampPerSecond).toBeCloseTo(
      64 * 0.9 ** 3,
    );
    const next = after(slowed, times(58, sign("success")), { fromMs: 2000 });
    expect(next.rampPerSecond).toBeGreaterThan(59);
    expect(next.rampPerSecond).toBeLessThan(61);
  });

  it("begins at the first complaint of a sound endpoint, whose calls under way count as one", () => {
    const slowed = after(SOUND, times(10, sign("busy")), { everyMs: 5 });
    expect(slowed).toMatchObject({
      rampPerSecond: RAMP_START_PER_SECOND,
      rampSlowedAtMs: null,
      notBeforeMs: 1000,
    });
  });

  it("keeps everything waiting for as long as it was asked to", () => {
    const slowed = after(SOUND, [sign("busy", { retryAfterMs: 90_000 })]);
    expect(slowed.notBeforeMs).toBe(90_000);
  });

  it("keeps the pause that was asked for, whatever calls under way come to", () => {
    const paused = after(SOUND, [sign("busy", { retryAfterMs: 90_000 })]);
    const later = after(paused, [sign("success")], { fromMs: 50 });
    expect(later).toMatchObject({ notBeforeMs: 90_000, rampPerSecond: RAMP_START_PER_SECOND + 1 });
    expect(after(later, [sign("success")], { fromMs: 90_000 }).notBeforeMs).toBeNull();
  });

  it("never falls to nothing", () => {
    const slowed = after(RAMPED, times(500, sign("busy")), { everyMs: 1000 });
    expect(slowed.rampPerSecond).toBe(0.2);
    expect(after(slowed, [sign("success")]).rampPerSecond).toBeCloseTo(1.2);
  });
});
