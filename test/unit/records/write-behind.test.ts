import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWriteBehind } from "../../../src/records/write-behind.ts";

const WRITE_MS = 5;
const refused = Object.assign(new Error("value too long"), { code: "22001" });
const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

describe("what is written behind", () => {
  let batches: number[][] = [];
  let failures: (Error | undefined)[] = [];
  const errors: unknown[] = [];
  const dropped: number[] = [];
  const weight = { bytes: 0 };

  const build = () =>
    createWriteBehind<number, readonly number[]>({
      pack: (items) => items,
      split: (items) => items.map((item) => [item]),
      async write(items) {
        await new Promise((resolve) => setTimeout(resolve, WRITE_MS));
        const failure = failures.shift();
        if (failure !== undefined) {
          throw failure;
        }
        batches.push([...items]);
      },
      weigh: () => weight.bytes,
      onError: (error) => errors.push(error),
      onDropped: (count) => dropped.push(count),
    });

  beforeEach(() => {
    vi.useFakeTimers();
    batches = [];
    failures = [];
    errors.length = 0;
    dropped.length = 0;
    weight.bytes = 100;
  });
  afterEach(() => vi.useRealTimers());

  it("goes in one batch a quarter of a second, however long items keep coming", async () => {
    const behind = build();
    for (let item = 0; item < 1000; item++) {
      behind.add(item);
      await vi.advanceTimersByTimeAsync(2);
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches.flat()).toEqual(Array.from({ length: 1000 }, (_, item) => item));
    expect(batches.length).toBeLessThanOrEqual(9);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes at once where there are 150, and the rest a quarter of a second later", async () => {
    const behind = build();
    for (let item = 0; item < 400; item++) {
      behind.add(item);
    }
    await vi.advanceTimersByTimeAsync(3 * WRITE_MS);
    expect(batches.map(({ length }) => length)).toEqual([150, 150]);
    await vi.advanceTimersByTimeAsync(250 + WRITE_MS);
    expect(batches.map(({ length }) => length)).toEqual([150, 150, 100]);
  });

  it("waits for a database that is away, in its order", async () => {
    const behind = build();
    failures = [away, away];
    behind.add(1);
    behind.add(2);
    await vi.advanceTimersByTimeAsync(300);
    behind.add(3);
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches).toEqual([[1, 2], [3]]);
    expect(errors).toEqual([]);
  });

  it("does without the one that the database refuses, and loses none of its neighbours", async () => {
    const behind = build();
    failures = [refused, undefined, refused];
    [1, 2, 3].forEach((item) => behind.add(item));
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches).toEqual([[1], [3]]);
    expect(errors).toEqual([refused]);
  });

  it("is dropped and counted past its bound, unless it corrects what is there", async () => {
    const behind = build();
    weight.bytes = 30 * 1024 * 1024;
    [1, 2, 3].forEach((item) => behind.add(item));
    behind.add(4, { corrects: true });
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches.flat()).toEqual([1, 2, 4]);
    expect(dropped).toEqual([1]);
  });

  it("is all written before a drain ends", async () => {
    const behind = build();
    behind.add(1);
    await vi.advanceTimersByTimeAsync(250);
    behind.add(2);
    const drained = behind.drain();
    await vi.advanceTimersByTimeAsync(2 * WRITE_MS);
    await drained;
    expect(batches).toEqual([[1], [2]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not gathered any more after a drain, but counted as lost", async () => {
    const behind = build();
    behind.add(1);
    const drained = behind.drain();
    await vi.advanceTimersByTimeAsync(WRITE_MS);
    await drained;
    behind.add(2);
    expect([batches, dropped, vi.getTimerCount()]).toEqual([[[1]], [1], 0]);
  });

  it("waits no quarter of a second more because another batch was being written", async () => {
    const behind = build();
    for (let item = 0; item < 150; item++) {
      behind.add(item);
    }
    behind.add(150);
    await vi.advanceTimersByTimeAsync(250 + WRITE_MS);
    expect(batches.map(({ length }) => length)).toEqual([150, 1]);
  });
});
