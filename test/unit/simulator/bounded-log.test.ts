import { describe, expect, it } from "vitest";
import { BoundedLog } from "../../../src/simulator/bounded-log.ts";

const bytesOf = (entry: number) => entry;

describe("BoundedLog", () => {
  it("forgets the oldest and keeps the newest", () => {
    const log = new BoundedLog<number>({ entriesMax: 10, bytesMax: 10_000, bytesOf });
    const { entries } = log;
    for (let entry = 1; entry <= 100; entry += 1) {
      log.add(entry);
    }
    expect(entries.length).toBeGreaterThanOrEqual(10);
    expect(entries.length).toBeLessThanOrEqual(11);
    expect(entries.at(-1)).toBe(100);
    log.clear();
    expect(entries).toEqual([]);
  });

  it("forgets the oldest when they are too large together", () => {
    const log = new BoundedLog<number>({ entriesMax: 10, bytesMax: 100, bytesOf });
    [40, 30, 20, 10, 5].forEach((entry) => log.add(entry));
    expect(log.entries).toEqual([30, 20, 10, 5]);
    log.add(60);
    expect(log.entries).toEqual([10, 5, 60]);
  });

  it("keeps the newest however large it is, and counts anew when cleared", () => {
    const log = new BoundedLog<number>({ entriesMax: 10, bytesMax: 100, bytesOf });
    log.add(1);
    log.add(500);
    expect(log.entries).toEqual([500]);
    log.clear();
    log.add(60);
    log.add(40);
    expect(log.entries).toEqual([60, 40]);
  });
});
