import { describe, expect, it } from "vitest";
import {
  NEARLY_ALL_WITHIN_MINUTES,
  recover,
  USELESS_CALLS_MAX,
} from "../../../bench/recovery/outage.ts";

// What `npm run bench -- recovery` prints: a simulated clock, so nothing here depends on the machine.
describe("an endpoint that was down for three hours and then bears 100 a second", () => {
  it.each([429, 503] as const)(
    "gets what it missed soon and gently, refusing with %i",
    (status) => {
      const { nearlyAllMinutes, uselessCalls, exhausted } = recover({
        refusesWith: status,
        hold: true,
      });
      expect(nearlyAllMinutes).toBeLessThanOrEqual(NEARLY_ALL_WITHIN_MINUTES);
      expect(uselessCalls).toBeLessThanOrEqual(USELESS_CALLS_MAX);
      expect(exhausted).toBe(0);
    },
  );

  it("is what a schedule for each message alone does badly", () => {
    const { nearlyAllMinutes, uselessCalls } = recover({ refusesWith: 429, hold: false });
    expect(nearlyAllMinutes).toBeGreaterThan(2 * NEARLY_ALL_WITHIN_MINUTES);
    expect(uselessCalls).toBeGreaterThan(50 * USELESS_CALLS_MAX);
  });
});
