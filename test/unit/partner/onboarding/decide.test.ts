import { describe, expect, it } from "vitest";
import {
  decide,
  type Facts,
  lookAgainAfter,
  retryAfter,
} from "../../../../src/partner/onboarding/decide.ts";

const RUNS = { status: "ready", running: true, live: false, terminated: false, rejected: false };
const SHARED: Facts = {
  channel: RUNS,
  restricted: false,
  keyRefused: false,
  number: "none",
  hasKey: false,
};

describe("a channel", () => {
  it.each<[string, Partial<Facts>, string, string]>([
    ["that 360dialog does not show is linked", { channel: undefined }, "linked", "none"],
    [
      "that waits for Meta is created",
      { channel: { ...RUNS, status: "unverified", running: false } },
      "created",
      "none",
    ],
    [
      "that may be registered is ready, and has no key yet",
      { channel: { ...RUNS, running: false } },
      "ready",
      "none",
    ],
    ["that runs gets a key", {}, "ready", "make_key"],
    ["whose client has not agreed gets none", { keyRefused: true }, "permission_missing", "none"],
    ["whose key is here gets its number", { hasKey: true }, "ready", "bring_in"],
    ["whose number is here is hooked", { number: "unconnected" }, "ready", "connect"],
    [
      "whose number is here keeps its key, whatever else is so",
      { number: "unconnected", hasKey: true, keyRefused: true },
      "ready",
      "connect",
    ],
    ["that is hooked runs", { number: "connected" }, "running", "none"],
    [
      "that is billed is live",
      { number: "connected", channel: { ...RUNS, live: true } },
      "live",
      "none",
    ],
    ["whose number was deleted here gets no other", { number: "removed" }, "ready", "none"],
    ["that is restricted gets no key", { restricted: true }, "restricted", "none"],
    [
      "whose WABA was turned down is restricted",
      { channel: { ...RUNS, rejected: true } },
      "restricted",
      "none",
    ],
    [
      "that has ended is cancelled, restricted or not",
      { channel: { ...RUNS, terminated: true }, restricted: true, number: "connected" },
      "cancelled",
      "none",
    ],
  ])("%s", (_name, facts, stage, step) => {
    expect(decide({ ...SHARED, ...facts })).toEqual({ stage, step });
  });

  it("is looked at again by itself until it is at its end", () => {
    expect(lookAgainAfter("live")).toBe(null);
    expect(lookAgainAfter("cancelled")).toBe(null);
    expect(lookAgainAfter("permission_missing")).toBe(3600);
    expect(lookAgainAfter("running")).toBe(86_400);
  });

  it("is tried again ever later, and at least once an hour", () => {
    expect([1, 2, 5, 12, 99].map(retryAfter)).toEqual([2, 4, 32, 3600, 3600]);
  });
});
