import { describe, expect, it } from "vitest";
import { SweptMap } from "../../../../src/gateway/throttle/swept-map.ts";
import { TwoGenerations } from "../../../../src/gateway/throttle/two-generations.ts";

const create = () => new TwoGenerations<number>({ lifetimeMs: 100, entriesMax: 10 });

describe("TwoGenerations", () => {
  it("keeps what is asked for, and forgets what was not for two lifetimes", () => {
    const map = create();
    map.set("used", 1, 0);
    map.set("unused", 2, 0);
    for (let nowMs = 0; nowMs < 1000; nowMs += 99) {
      expect(map.get("used", nowMs)).toBe(1);
    }
    expect(map.get("unused", 1000)).toBeUndefined();
  });

  it("keeps everything for a lifetime, wherever the halves change", () => {
    for (let setMs = 0; setMs < 200; setMs += 7) {
      const map = create();
      map.set("first", 0, 0);
      map.set("it", 1, setMs);
      expect(map.get("it", setMs + 99)).toBe(1);
    }
  });

  it("holds no more than twice its bound", () => {
    const map = create();
    for (let i = 0; i < 100; i += 1) {
      map.set(`${i}`, i, 0);
    }
    const kept = Array.from({ length: 100 }, (_, i) => map.get(`${i}`, 0));
    expect(kept.filter((value) => value !== undefined).length).toBeLessThanOrEqual(20);
    expect(kept.at(-1)).toBe(99);
  });
});

describe("SweptMap", () => {
  it("stays within twice of what is in use", () => {
    const map = new SweptMap<{ idleMs: number }>(({ idleMs }, nowMs) => nowMs >= idleMs);
    let largest = 0;
    for (let nowMs = 0; nowMs < 50_000; nowMs += 1) {
      map.set(`${nowMs}`, { idleMs: nowMs + 2000 }, nowMs);
      largest = Math.max(largest, map.size);
    }
    expect(largest).toBeLessThanOrEqual(4001);
    expect(map.get("49999")).toBeDefined();
  });
});
