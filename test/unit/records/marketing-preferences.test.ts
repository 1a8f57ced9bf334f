import { describe, expect, it } from "vitest";
import { hasStoppedMarketing } from "../../../src/records/marketing-preferences.ts";

const [first, second, third] = [1, 2, 3].map((day) => new Date(Date.UTC(2026, 0, day))) as [
  Date,
  Date,
  Date,
];

describe("hasStoppedMarketing", () => {
  it.each<[string, Date | null, Date | null, Date | null, boolean]>([
    ["nothing was said", null, null, null, false],
    ["the user stopped", first, null, null, true],
    ["resumed after that", first, second, null, false],
    ["stopped again", third, second, null, true],
    ["resumed within the same second", second, second, null, true],
    ["agreed anew after the stop", first, null, second, false],
    ["had agreed before the stop", second, null, first, true],
    ["had agreed and resumed before the stop", third, second, first, true],
    ["agreed only", null, null, first, false],
    ["resumed only", null, first, null, false],
  ])("when %s", (_when, stoppedAt, resumedAt, optedInAt, stopped) => {
    expect(hasStoppedMarketing({ stoppedAt, resumedAt, optedInAt })).toBe(stopped);
  });
});
