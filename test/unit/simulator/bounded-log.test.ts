import { describe, expect, it } from "vitest";
import { BoundedLog } from "../../../src/simulator/bounded-log.ts";

describe("BoundedLog", () => {
  it("forgets the oldest and keeps the newest", () => {
    const log = new BoundedLog<number>(10);
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
});
