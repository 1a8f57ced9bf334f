import { describe, expect, it } from "vitest";
import { createFailedLogins } from "../../../src/tenancy/failed-logins.ts";

function failedLogins() {
  const clock = { nowMs: 1_750_000_000_000 };
  const logins = createFailedLogins(() => clock.nowMs);
  const fail = (key: string, times: number) => {
    for (let n = 0; n < times; n++) {
      logins.begin(key);
    }
  };
  return { clock, logins, fail };
}

describe("wrong secrets", () => {
  it("may be tried ten times", () => {
    const { logins, fail } = failedLogins();
    expect(logins.pauseSeconds("a")).toBeUndefined();
    fail("a", 9);
    expect(logins.pauseSeconds("a")).toBeUndefined();
  });

  it("make the next try wait until the first of ten is a minute old", () => {
    const { clock, logins, fail } = failedLogins();
    fail("a", 1);
    clock.nowMs += 20_000;
    fail("a", 9);
    expect(logins.pauseSeconds("a")).toBe(40);
    clock.nowMs += 39_500;
    expect(logins.pauseSeconds("a")).toBe(1);
    clock.nowMs += 500;
    expect(logins.pauseSeconds("a")).toBeUndefined();
  });

  it("are counted for each client and address by themselves", () => {
    const { logins, fail } = failedLogins();
    fail("a", 10);
    expect(logins.pauseSeconds("b")).toBeUndefined();
  });

  it("spread over more than a minute never add up", () => {
    const { clock, logins, fail } = failedLogins();
    for (let n = 0; n < 100; n++) {
      fail("a", 1);
      clock.nowMs += 6100;
      expect(logins.pauseSeconds("a")).toBeUndefined();
    }
  });

  it("may come from any number of addresses", () => {
    const { logins } = failedLogins();
    for (let n = 0; n < 60_000; n++) {
      logins.begin(`client ${n}`);
    }
    expect(logins.pauseSeconds("client 1")).toBeUndefined();
  });
});
