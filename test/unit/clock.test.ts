import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { every, formatDuration, keepLooking, parseDurationMs } from "../../src/clock.ts";

describe("parseDurationMs", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["2m", 120_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["0s", 0],
    ["007s", 7000],
  ])("reads %s", (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  it.each([
    "",
    "5",
    "s",
    "-5s",
    "1.5s",
    "5 s",
    " 5s",
    "5s ",
    "5S",
    "5sec",
    "1h30m",
    "5s\n",
    "٥s",
    "1w",
    "1y",
    "1e3s",
    "+5s",
    "5constructor",
  ])("refuses %j", (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0ms"],
    [999, "999ms"],
    [1000, "1s"],
    [1500, "1500ms"],
    [90_000, "90s"],
    [7_200_000, "2h"],
    [86_400_000, "1d"],
    [90_000_000, "25h"],
  ])("writes %d in the largest unit that divides it", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it("writes what parseDurationMs reads", () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (durationMs) => {
        expect(parseDurationMs(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});

describe("keepLooking", () => {
  const NEVER_MS = 60_000;

  it("looks again at once as long as it is told to, then waits", async () => {
    const waits = [0, 0, NEVER_MS];
    let looks = 0;
    const waiting = Promise.withResolvers<void>();
    const looking = keepLooking(async () => {
      const waitMs = waits[looks++] ?? NEVER_MS;
      if (waitMs > 0) {
        waiting.resolve();
      }
      return waitMs;
    });
    await waiting.promise;
    await looking.stop();
    expect(looks).toBe(3);
  });

  it("is woken by a poke, also by one that came while it looked", async () => {
    let looks = 0;
    const third = Promise.withResolvers<void>();
    const looking = keepLooking(async () => {
      looks++;
      if (looks < 3) {
        looking.poke();
      } else {
        third.resolve();
      }
      return NEVER_MS;
    });
    await third.promise;
    await looking.stop();
    expect(looks).toBe(3);
  });

  it("keeps its pace however often it is poked, and stops in the middle of it", async () => {
    const beganMs: number[] = [];
    const third = Promise.withResolvers<void>();
    const looking = keepLooking(
      async () => {
        beganMs.push(performance.now());
        if (beganMs.length === 3) {
          third.resolve();
        }
        looking.poke();
        return NEVER_MS;
      },
      { paceMs: 30 },
    );
    await third.promise;
    await looking.stop();
    const [first = 0, second = 0, last = 0, ...more] = beganMs;
    expect(more).toEqual([]);
    // A timer may be a millisecond early.
    expect(Math.min(second - first, last - second)).toBeGreaterThan(28);
  });

  it("stops once the look that is under way has ended", async () => {
    const begun = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<number>();
    let looks = 0;
    const looking = keepLooking(() => {
      looks++;
      begun.resolve();
      return mayEnd.promise;
    });
    await begun.promise;
    const stopped = looking.stop();
    looking.poke();
    mayEnd.resolve(0);
    await stopped;
    expect(looks).toBe(1);
  });
});

describe("every", () => {
  it("works first when it is told to, then at its own pace, until it is stopped", async () => {
    vi.useFakeTimers();
    let count = 0;
    const job = every(
      1000,
      async () => void (count += 1),
      () => {},
      { firstAfterMs: 50 },
    );
    vi.advanceTimersByTime(49);
    expect(count).toBe(0);
    vi.advanceTimersByTime(1);
    expect(count).toBe(1);
    vi.advanceTimersByTime(2000);
    expect(count).toBe(3);
    await job.stop();
    vi.advanceTimersByTime(5000);
    expect(count).toBe(3);
    vi.useRealTimers();
  });
});
