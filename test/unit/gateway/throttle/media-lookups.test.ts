import { describe, expect, it } from "vitest";
import { createThrottle } from "../../../../src/gateway/throttle/throttle.ts";

const NUMBER = { phoneNumberId: "101", throughput: 80 } as const;
const HOUR_MS = 3_600_000;

function lookingUp() {
  const clock = { nowMs: 1_000_000 };
  const throttle = createThrottle({ url: undefined, prefix: "test", now: () => clock.nowMs });
  /** Whether it went, and then what became of it. */
  const lookUp = (mediaId: string, found: boolean): boolean => {
    const goes = throttle.takeMediaLookup(NUMBER, mediaId) === undefined;
    if (goes) {
      throttle.noteMediaLookup(NUMBER, mediaId, found);
    }
    return goes;
  };
  return { clock, throttle, lookUp };
}

describe("the throttle of media look-ups", () => {
  it("stops an id that failed twice, until the hour is over", () => {
    const { clock, throttle, lookUp } = lookingUp();
    expect([lookUp("a", false), lookUp("a", false), lookUp("a", false)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(lookUp("b", true)).toBe(true);
    expect(throttle.takeMediaLookup(NUMBER, "a")).toEqual({
      limit: "media_lookup",
      retryAfterSeconds: 3600,
      remaining: 0,
      quota: 15,
      windowSeconds: 3600,
    });
    clock.nowMs += HOUR_MS;
    expect(lookUp("a", false)).toBe(true);
  });

  it("stops every unknown id after 15 failures, and lets go on what was found", () => {
    const { clock, lookUp } = lookingUp();
    expect(lookUp("good", true)).toBe(true);
    const went = Array.from({ length: 40 }, (_, i) => lookUp(`bad-${i}`, false));
    expect(went.filter(Boolean)).toHaveLength(15);
    expect(lookUp("unknown", true)).toBe(false);
    expect(lookUp("good", true)).toBe(true);
    clock.nowMs += HOUR_MS;
    expect(lookUp("unknown", true)).toBe(true);
  });

  it("never has more under way than could fail without shutting the number out", () => {
    const { clock, throttle } = lookingUp();
    const goes = (mediaId: string) => throttle.takeMediaLookup(NUMBER, mediaId) === undefined;
    const ids = Array.from({ length: 40 }, (_, i) => `m-${i}`);
    expect(ids.filter(goes)).toHaveLength(19);
    throttle.noteMediaLookup(NUMBER, "m-0", true);
    expect(["n-0", "n-1"].filter(goes)).toEqual(["n-0"]);
    // Nobody told what became of them, so they are over when they must be.
    clock.nowMs += 60_000;
    expect(ids.filter(goes)).toHaveLength(20);
  });

  it("forgets that an id was found when it fails", () => {
    const { lookUp } = lookingUp();
    expect(lookUp("a", true)).toBe(true);
    expect(Array.from({ length: 4 }, () => lookUp("a", false))).toEqual([true, true, false, false]);
  });

  it("keeps numbers apart", () => {
    const { throttle, lookUp } = lookingUp();
    for (let i = 0; i < 15; i += 1) {
      lookUp(`bad-${i}`, false);
    }
    const other = { ...NUMBER, phoneNumberId: "102" };
    expect(throttle.takeMediaLookup(other, "x")).toBeUndefined();
    expect(throttle.takeMediaLookup(NUMBER, "x")).toBeDefined();
  });
});
