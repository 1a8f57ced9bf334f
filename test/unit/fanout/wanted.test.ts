import { describe, expect, it } from "vitest";
import { createWanted } from "../../../src/fanout/wanted.ts";

function setUp() {
  const clock = { nowMs: 1000 };
  return { clock, wanted: createWanted({ paceMs: 5, now: () => clock.nowMs }) };
}

describe("for whom a claim is wanted", () => {
  it("is taken once, at once, however often it was said", () => {
    const { wanted } = setUp();
    wanted.add(["a", "b"]);
    wanted.add(["a"]);
    expect(wanted.nextMs()).toBe(0);
    expect(wanted.take()).toEqual(["a", "b"]);
    expect([wanted.take(), wanted.nextMs()]).toEqual([[], Number.POSITIVE_INFINITY]);
  });

  it("is taken for later when it is time, at the earliest that was said", () => {
    const { clock, wanted } = setUp();
    wanted.addLater("a", 100);
    wanted.addLater("a", 40);
    wanted.addLater("a", 70);
    expect([wanted.take(), wanted.nextMs()]).toEqual([[], 40]);
    clock.nowMs += 40;
    expect(wanted.take()).toEqual(["a"]);
    expect([wanted.take(), wanted.nextMs()]).toEqual([[], Number.POSITIVE_INFINITY]);
  });

  it("is not forgotten for later because it waits for its pace", () => {
    const { clock, wanted } = setUp();
    wanted.add(["a"]);
    wanted.take();
    wanted.addLater("a", 100);
    wanted.add(["a"]);
    expect([wanted.take(), wanted.nextMs()]).toEqual([[], 5]);
    clock.nowMs += 5;
    expect([wanted.take(), wanted.nextMs()]).toEqual([["a"], 95]);
    clock.nowMs += 95;
    expect(wanted.take()).toEqual(["a"]);
  });

  it("waits for its own pace and nobody else's", () => {
    const { clock, wanted } = setUp();
    wanted.add(["much"]);
    expect(wanted.take()).toEqual(["much"]);
    clock.nowMs += 2;
    wanted.add(["much", "little"]);
    expect([wanted.take(), wanted.nextMs()]).toEqual([["little"], 3]);
    clock.nowMs += 3;
    wanted.add(["little"]);
    expect([wanted.take(), wanted.nextMs()]).toEqual([["much"], 2]);
    clock.nowMs += 2;
    expect(wanted.take()).toEqual(["little"]);
    clock.nowMs += 5;
    wanted.add(["much", "little"]);
    expect(wanted.take()).toEqual(["much", "little"]);
  });
});
