import { describe, expect, it } from "vitest";
import { createRemembered } from "../../../src/store/remembered.ts";

/** Loads that the test finishes itself, each by its number. */
function remembered(entriesMax = 100) {
  const feed = { isFresh: true, fresh: () => feed.isFresh };
  const loads: { key: string; finish: PromiseWithResolvers<string> }[] = [];
  const cache = createRemembered<string>({
    feed,
    entriesMax,
    load: (key) => {
      const finish = Promise.withResolvers<string>();
      loads.push({ key, finish });
      return finish.promise;
    },
  });
  const finish = (index: number, value: string) => loads[index]?.finish.resolve(value);
  return { feed, loads, cache, finish };
}

describe("what is remembered", () => {
  it("is loaded once", async () => {
    const { cache, loads, finish } = remembered();
    const asked = [cache.get("a"), cache.get("a")];
    finish(0, "A");
    expect(await Promise.all([...asked, cache.get("a")])).toEqual(["A", "A", "A"]);
    expect(loads).toHaveLength(1);
  });

  it("is there at once when it has been loaded", async () => {
    const { cache, finish } = remembered();
    const asked = cache.get("a");
    finish(0, "A");
    await asked;
    expect(cache.get("a")).toBe("A");
  });

  it("is not kept when there is nothing, and crowds nothing out", async () => {
    const asked: string[] = [];
    const cache = createRemembered<string | undefined>({
      feed: { fresh: () => true },
      entriesMax: 1,
      load: async (key) => (asked.push(key), key === "there" ? key : undefined),
    });
    const keys = ["there", "missing", "missing", "guess", "there"];
    for (const key of keys) {
      await cache.get(key);
    }
    expect(asked).toEqual(["there", "missing", "missing", "guess"]);
  });

  it("is loaded again once it has been forgotten", async () => {
    const { cache, loads, finish } = remembered();
    finish(0, "A");
    const before = cache.get("a");
    loads[0]?.finish.resolve("A");
    await before;
    cache.forget("a");
    const after = cache.get("a");
    finish(1, "B");
    expect(await after).toBe("B");
  });

  // What is being loaded may have been read before the change.
  it("is not kept when it is forgotten while it is being loaded", async () => {
    const { cache, loads, finish } = remembered();
    const before = cache.get("a");
    cache.forget("a");
    finish(0, "stale");
    expect(await before).toBe("stale");
    const after = cache.get("a");
    finish(1, "new");
    expect(await after).toBe("new");
    expect(await cache.get("a")).toBe("new");
    expect(loads).toHaveLength(2);
  });

  it("is not put back by an older load that ends later", async () => {
    const { cache, finish } = remembered();
    const older = cache.get("a");
    cache.forget("a");
    const newer = cache.get("a");
    finish(1, "new");
    finish(0, "stale");
    expect(await Promise.all([older, newer])).toEqual(["stale", "new"]);
    expect(await cache.get("a")).toBe("new");
  });

  it("is asked for anew each time while changes cannot be heard of", async () => {
    const { cache, feed, loads, finish } = remembered();
    const first = cache.get("a");
    finish(0, "A");
    await first;
    feed.isFresh = false;
    const [second, third] = [cache.get("a"), cache.get("a")];
    finish(1, "B");
    finish(2, "C");
    expect(await Promise.all([second, third])).toEqual(["B", "C"]);
    expect(loads).toHaveLength(3);
  });

  it("is not a failure", async () => {
    const { cache, loads, finish } = remembered();
    const failed = cache.get("a");
    loads[0]?.finish.reject(new Error("the database is gone"));
    await expect(failed).rejects.toThrow("the database is gone");
    const again = cache.get("a");
    finish(1, "A");
    expect(await again).toBe("A");
  });

  it("is not lost by an older load that fails later", async () => {
    const { cache, loads, finish } = remembered();
    const older = cache.get("a");
    cache.forget("a");
    const newer = cache.get("a");
    finish(1, "new");
    loads[0]?.finish.reject(new Error("too late"));
    await expect(older).rejects.toThrow("too late");
    expect(await newer).toBe("new");
    expect(await cache.get("a")).toBe("new");
    expect(loads).toHaveLength(2);
  });

  it("is what was loaded last where there is no room for all", async () => {
    const { cache, loads, finish } = remembered(2);
    for (const [index, key] of ["a", "b", "c"].entries()) {
      const loaded = cache.get(key);
      finish(index, key);
      await loaded;
    }
    void cache.get("c");
    void cache.get("b");
    expect(loads.map(({ key }) => key)).toEqual(["a", "b", "c"]);
    void cache.get("a");
    expect(loads.map(({ key }) => key)).toEqual(["a", "b", "c", "a"]);
  });

  it("is kept by its own key, whatever that is called", () => {
    const { cache, loads } = remembered();
    for (const key of ["__proto__", "constructor", ""]) {
      void cache.get(key);
      void cache.get(key);
    }
    expect(loads).toHaveLength(3);
  });
});
