import { describe, expect, it } from "vitest";
import {
  DEFAULT_RETRY_DELAYS_MS,
  nextDelayMs,
} from "../../../../src/simulator/webhooks/retry-delay.ts";

describe("DEFAULT_RETRY_DELAYS_MS", () => {
  it("doubles from five seconds and ends at an hour", () => {
    expect(DEFAULT_RETRY_DELAYS_MS.slice(0, 3)).toEqual([5_000, 10_000, 20_000]);
    expect(DEFAULT_RETRY_DELAYS_MS.at(-1)).toBe(3_600_000);
  });
});

describe("nextDelayMs", () => {
  const input = { delaysMs: [10, 20], ageMs: 0, horizonMs: 1_000 };

  it.each([
    ["the first wait after the first attempt", { ...input, attemptsMade: 1 }, 10],
    ["the second wait after the second", { ...input, attemptsMade: 2 }, 20],
    ["the last wait for all later ones", { ...input, attemptsMade: 9 }, 20],
    ["an attempt right at the horizon", { ...input, attemptsMade: 2, ageMs: 980 }, 20],
    ["none past the horizon", { ...input, attemptsMade: 2, ageMs: 981 }, undefined],
    ["none without a schedule", { ...input, delaysMs: [], attemptsMade: 1 }, undefined],
  ])("gives %s", (_name, given, expected) => {
    expect(nextDelayMs(given)).toBe(expected);
  });
});
