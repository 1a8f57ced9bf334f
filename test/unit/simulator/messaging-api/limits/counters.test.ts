import { describe, expect, it } from "vitest";
import {
  Paces,
  SlidingWindows,
} from "../../../../../src/simulator/messaging-api/limits/counters.ts";

describe("SlidingWindows", () => {
  it("counts over any time of that length, and what it refuses does not count", () => {
    const windows = new SlidingWindows(1_000);
    const take = (nowMs: number) => windows.take("a", 2, nowMs);
    expect([0, 900, 950, 999].map(take)).toEqual([true, true, false, false]);
    expect([1_000, 1_001, 1_900].map(take)).toEqual([true, false, true]);
  });

  it("counts each name by itself", () => {
    const windows = new SlidingWindows(1_000);
    expect(["a", "b", "a"].map((name) => windows.take(name, 1, 0))).toEqual([true, true, false]);
  });
});

describe("Paces", () => {
  it("lets a burst go, then one for each step", () => {
    const paces = new Paces();
    const take = (nowMs: number) => paces.take("a", { everyMs: 6_000, burst: 3 }, nowMs);
    expect([0, 0, 0, 0, 5_999].map(take)).toEqual([true, true, true, false, false]);
    expect([6_000, 6_000, 12_000].map(take)).toEqual([true, false, true]);
    expect([60_000, 60_000, 60_000, 60_000].map(take)).toEqual([true, true, true, false]);
  });
});
