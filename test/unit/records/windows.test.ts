import { describe, expect, it } from "vitest";
import { closesAt, windowState } from "../../../src/records/windows.ts";

const now = new Date("2026-01-31T12:00:00.000Z");
const HOUR_MS = 3_600_000;
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const LONG_AGO = ago(1000 * HOUR_MS);

describe("windowState", () => {
  it.each<[string, Date | null, Date, string]>([
    ["the user has just written", now, LONG_AGO, "open"],
    ["the last millisecond runs", ago(24 * HOUR_MS - 1), LONG_AGO, "open"],
    ["24 hours are over to the millisecond", ago(24 * HOUR_MS), LONG_AGO, "closed"],
    ["they have long been over", ago(48 * HOUR_MS), LONG_AGO, "closed"],
    ["the user was never heard of", null, LONG_AGO, "closed"],
    ["nor could have been, for the last millisecond", null, ago(24 * HOUR_MS - 1), "unknown"],
    ["nor was, in 24 hours to the millisecond", null, ago(24 * HOUR_MS), "closed"],
    ["the number is new and the user wrote", ago(HOUR_MS), ago(HOUR_MS), "open"],
    ["an old message, and a gap since", ago(48 * HOUR_MS), ago(HOUR_MS), "unknown"],
    ["the message is of a clock that is ahead", ago(-HOUR_MS), LONG_AGO, "open"],
  ])("when %s", (_when, lastInboundAt, watchedSince, state) => {
    expect(windowState({ lastInboundAt, watchedSince, now })).toBe(state);
  });

  it("ends 24 hours after the last message", () => {
    expect(closesAt(now).toISOString()).toBe("2026-02-01T12:00:00.000Z");
  });
});
