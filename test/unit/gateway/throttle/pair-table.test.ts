import { assert, array, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { Pair, PairTable } from "../../../../src/gateway/throttle/pair-table.ts";

const pair = (user: number | string) => new Pair("106540352242922", String(user));

describe("the table of pairs", () => {
  it("knows nothing of a pair that was never seen", () => {
    expect(new PairTable({ worthKeepingMs: 6 }).get(pair(1))).toEqual({ fullMs: 0, untold: 0 });
  });

  it("tells pairs apart by number and by user", () => {
    const table = new PairTable({ worthKeepingMs: 6 });
    table.set(new Pair("1", "23"), { fullMs: 5, untold: 1 }, 0);
    expect(table.get(new Pair("12", "3")).fullMs).toBe(0);
    expect(table.get(new Pair("1", "23"))).toEqual({ fullMs: 5, untold: 1 });
  });

  it("keeps what a map would keep, while nothing has its whole burst again", () => {
    const change = record({ user: integer({ min: 0, max: 3000 }), fullMs: integer({ min: 1 }) });
    assert(
      property(array(change, { maxLength: 4000, size: "max" }), (changes) => {
        const table = new PairTable({ worthKeepingMs: 6 });
        const map = new Map<number, number>();
        for (const { user, fullMs } of changes) {
          table.set(pair(user), { fullMs, untold: -2 }, 0);
          map.set(user, fullMs);
        }
        for (const [user, fullMs] of map) {
          expect(table.get(pair(user))).toEqual({ fullMs, untold: -2 });
        }
      }),
      { numRuns: 20 },
    );
  });

  it("forgets those that have their whole burst again, and no other, when it needs room", () => {
    const table = new PairTable({ worthKeepingMs: 6 });
    for (let user = 0; user < 100_000; user++) {
      table.set(pair(user), { fullMs: user % 2 === 0 ? 10 : 1000, untold: 0 }, 0);
    }
    for (let user = 100_000; user < 300_000; user++) {
      table.set(pair(user), { fullMs: 1000, untold: 0 }, 500);
    }
    for (let user = 1; user < 100_000; user += 2) {
      expect(table.get(pair(user)).fullMs).toBe(1000);
    }
    expect(table.get(pair(0)).fullMs).toBe(0);
  });

  it("forgets those that sent once when there are more than half a million", () => {
    const table = new PairTable({ worthKeepingMs: 6 });
    for (let user = 0; user < 1_200_000; user++) {
      table.set(pair(user), { fullMs: user % 100 === 0 ? 12 : 6, untold: 1 }, 0);
    }
    for (let user = 0; user < 1_200_000; user += 100) {
      expect(table.get(pair(user)).fullMs).toBe(12);
    }
    expect(table.get(pair(1)).fullMs).toBe(0);
  });
});
