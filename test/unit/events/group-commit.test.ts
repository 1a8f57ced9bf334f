import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createGroupCommit, Overloaded } from "../../../src/events/group-commit.ts";
import { eventually } from "../../support/eventually.ts";

/** As pg throws it: the SQLSTATE in `code`. */
const databaseError = (code: string) => Object.assign(new Error(`SQLSTATE ${code}`), { code });

/** Time passes when the test says so, and whoever pauses until then goes on. */
function pausedClock() {
  let nowMs = 0;
  let pausing: { untilMs: number; resolve: () => void }[] = [];
  return {
    now: () => nowMs,
    pause: (durationMs: number) =>
      new Promise<void>((resolve) => {
        pausing.push({ untilMs: nowMs + durationMs, resolve });
      }),
    advance(durationMs: number) {
      nowMs += durationMs;
      const over = pausing.filter(({ untilMs }) => untilMs <= nowMs);
      pausing = pausing.filter((each) => !over.includes(each));
      over.forEach(({ resolve }) => resolve());
    },
  };
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const forever = () => new Promise<void>(() => {});

/** A commit that the test finishes itself, batch by batch. */
function commits(
  options: {
    batchMax?: number;
    waitingMax?: number;
    commitsMax?: number;
    fullCommitsMax?: number;
    paceMs?: number;
    clock?: Pick<ReturnType<typeof pausedClock>, "now" | "pause">;
  } = {},
) {
  const batches: { items: readonly number[]; done: PromiseWithResolvers<string[]> }[] = [];
  const group = createGroupCommit<number, string>({
    commit: (items) => {
      const done = Promise.withResolvers<string[]>();
      batches.push({ items, done });
      return done.promise;
    },
    weigh: () => 1,
    batchMax: options.batchMax ?? 100,
    waitingMax: options.waitingMax ?? 100,
    ...(options.commitsMax !== undefined && { commitsMax: options.commitsMax }),
    ...(options.fullCommitsMax !== undefined && { fullCommitsMax: options.fullCommitsMax }),
    ...(options.paceMs !== undefined && { paceMs: options.paceMs }),
    ...options.clock,
  });
  const batch = (index: number) => eventually(() => batches[index]);
  const succeed = async (index: number) => {
    const { items, done } = await batch(index);
    done.resolve(items.map((item) => `done ${item}`));
  };
  const fail = async (index: number, error: Error) => (await batch(index)).done.reject(error);
  const itemsOf = () => batches.map(({ items }) => items);
  return { group, itemsOf, succeed, fail };
}

/** A commit that fails for each batch that `refuse` names an error for. */
function refusing(refuse: (items: readonly number[], tries: number) => Error | undefined) {
  const tried: (readonly number[])[] = [];
  const group = createGroupCommit<number, string>({
    commit: async (items) => {
      tried.push(items);
      const error = refuse(items, tried.length);
      if (error) {
        throw error;
      }
      return items.map((item) => `done ${item}`);
    },
    weigh: () => 1,
    batchMax: 100,
    waitingMax: 100,
  });
  return { group, tried };
}

const outcomes = async (promises: Promise<string>[]) =>
  (await Promise.allSettled(promises)).map((each) =>
    each.status === "fulfilled" ? each.value : (each.reason as Error),
  );

describe("a group commit", () => {
  it("commits an item that comes alone at once", async () => {
    const { group, itemsOf, succeed } = commits();
    const one = group.add(1);
    expect(itemsOf()).toEqual([[1]]);
    await succeed(0);
    expect(await one).toBe("done 1");
  });

  it("keeps its pace: what comes within it goes together, when it is over", async () => {
    const clock = pausedClock();
    const { group, itemsOf, succeed } = commits({ paceMs: 10, commitsMax: 2, clock });
    const one = group.add(1);
    expect(itemsOf()).toEqual([[1]]);
    clock.advance(3);
    const two = group.add(2);
    await succeed(0);
    await one;
    const three = group.add(3);
    expect(itemsOf()).toEqual([[1]]);
    clock.advance(6);
    await Promise.resolve();
    expect(itemsOf()).toEqual([[1]]);
    clock.advance(1);
    await succeed(1);
    expect(itemsOf()).toEqual([[1], [2, 3]]);
    await expect(Promise.all([two, three])).resolves.toEqual(["done 2", "done 3"]);
  });

  it("commits a batch that is full whatever its pace, and without a timer", async () => {
    const clock = { now: () => 0, pause: forever };
    const { group, itemsOf, succeed } = commits({ paceMs: 10, batchMax: 2, clock });
    const one = group.add(1);
    const rest = [2, 3, 4, 5].map((item) => group.add(item));
    await succeed(0);
    await one;
    await succeed(1);
    await succeed(2);
    expect(itemsOf()).toEqual([[1], [2, 3], [4, 5]]);
    const another = group.add(6);
    const last = group.add(7);
    await succeed(3);
    expect(itemsOf()).toEqual([[1], [2, 3], [4, 5], [6, 7]]);
    await Promise.all([...rest, another, last]);
  });

  it("leaves nothing behind of the pauses that it has made", async () => {
    const clock = pausedClock();
    const group = createGroupCommit<number, number>({
      commit: (items) => Promise.resolve([...items]),
      weigh: () => 1,
      batchMax: 2,
      waitingMax: 2,
      paceMs: 10,
      now: clock.now,
      pause: async (durationMs) => clock.advance(durationMs),
    });
    const pauses = async (count: number): Promise<number> => {
      for (let n = 0; n < count; n++) {
        await group.add(n);
      }
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = await pauses(1000);
    // A reaction that is left on a promise is half a kilobyte: ten times what is allowed here.
    expect((await pauses(50_000)) - before).toBeLessThan(3_000_000);
  });

  it("has more commits under way while batches are full, and no longer", async () => {
    const { group, itemsOf, succeed } = commits({ fullCommitsMax: 3, batchMax: 2 });
    const adding = [1, 2, 3, 4, 5, 6, 7, 8].map((item) => group.add(item));
    expect(itemsOf()).toEqual([[1], [2, 3], [4, 5]]);
    await succeed(1);
    await succeed(0);
    expect(await Promise.all(adding.slice(0, 3))).toHaveLength(3);
    expect(itemsOf()).toEqual([[1], [2, 3], [4, 5], [6, 7]]);
    await succeed(3);
    await adding[6];
    await succeed(2);
    await succeed(4);
    expect(itemsOf()).toEqual([[1], [2, 3], [4, 5], [6, 7], [8]]);
    await Promise.all(adding);
    await group.drain();
  });

  it("commits at once what comes when its pace is over", async () => {
    const clock = pausedClock();
    const { group, itemsOf, succeed } = commits({ paceMs: 10, clock });
    const one = group.add(1);
    await succeed(0);
    await one;
    await group.drain();
    clock.advance(10);
    const two = group.add(2);
    expect(itemsOf()).toEqual([[1], [2]]);
    await succeed(1);
    await two;
  });

  it("is drained only when what waits for its pace is committed too", async () => {
    const clock = pausedClock();
    const { group, succeed } = commits({ paceMs: 10, clock });
    const one = group.add(1);
    await succeed(0);
    await one;
    const two = group.add(2);
    let isDrained = false;
    const drained = group.drain().then(() => (isDrained = true));
    await Promise.resolve();
    expect(isDrained).toBe(false);
    clock.advance(10);
    await succeed(1);
    await drained;
    await expect(two).resolves.toBe("done 2");
  });

  it("puts what comes during a commit into the next one, together and in order", async () => {
    const { group, itemsOf, succeed } = commits();
    const added = [1, 2, 3].map((item) => group.add(item));
    expect(itemsOf()).toEqual([[1]]);
    await succeed(0);
    await eventually(() => itemsOf().length === 2);
    expect(itemsOf()).toEqual([[1], [2, 3]]);
    const fourth = group.add(4);
    expect(itemsOf()).toEqual([[1], [2, 3]]);
    await succeed(1);
    expect(await Promise.all(added.slice(1))).toEqual(["done 2", "done 3"]);
    await succeed(2);
    expect(await fourth).toBe("done 4");
  });

  it("has as many commits under way as it may, each with what came since", async () => {
    const { group, itemsOf, succeed } = commits({ commitsMax: 2 });
    const added = [1, 2, 3, 4].map((item) => group.add(item));
    expect(itemsOf()).toEqual([[1], [2]]);
    await succeed(1);
    expect(await added[1]).toBe("done 2");
    await eventually(() => itemsOf().length === 3);
    expect(itemsOf()).toEqual([[1], [2], [3, 4]]);
    const fifth = group.add(5);
    await succeed(2);
    await succeed(3);
    expect(await fifth).toBe("done 5");
    await succeed(0);
    await group.drain();
    expect(await added[0]).toBe("done 1");
  });

  it("answers nobody before the commit is over", async () => {
    const { group, succeed } = commits();
    let answered = false;
    const one = group.add(1).then(() => (answered = true));
    await Promise.resolve();
    expect(answered).toBe(false);
    await succeed(0);
    await one;
    expect(answered).toBe(true);
  });

  it("makes no batch larger than it may be", async () => {
    const { group, itemsOf, succeed } = commits({ batchMax: 2 });
    const added = [1, 2, 3, 4].map((item) => group.add(item));
    await succeed(0);
    await added[0];
    await succeed(1);
    await added[2];
    await succeed(2);
    await Promise.all(added);
    expect(itemsOf()).toEqual([[1], [2, 3], [4]]);
  });

  it("holds no more than it may, and takes more once there is room", async () => {
    const { group, itemsOf, succeed } = commits({ waitingMax: 2 });
    const added = [1, 2, 3].map((item) => group.add(item));
    await expect(group.add(4)).rejects.toThrow(Overloaded);
    await succeed(0);
    await eventually(() => itemsOf().length === 2);
    const fifth = group.add(5);
    await succeed(1);
    await succeed(2);
    await Promise.all([...added, fifth]);
    expect(itemsOf()).toEqual([[1], [2, 3], [5]]);
  });

  it("refuses more when what waits has waited too long, and takes it again when that is gone", async () => {
    let nowMs = 0;
    const { promise: first, resolve: endFirst } = Promise.withResolvers<void>();
    const group = createGroupCommit<number, string>({
      commit: async (items) => {
        await first;
        return items.map((item) => `done ${item}`);
      },
      weigh: () => 1,
      batchMax: 100,
      waitingMax: 100,
      waitMaxMs: 1000,
      now: () => nowMs,
    });
    const added = [group.add(1), group.add(2)];
    nowMs = 1000;
    expect(group.isFull()).toBe(false);
    added.push(group.add(3));
    nowMs = 1001;
    expect(group.isFull()).toBe(true);
    await expect(group.add(4)).rejects.toThrow(Overloaded);
    endFirst();
    expect(await Promise.all(added)).toEqual(["done 1", "done 2", "done 3"]);
    expect(group.isFull()).toBe(false);
    expect(await group.add(5)).toBe("done 5");
  });

  it("works on after a batch that failed", async () => {
    const { group, fail, succeed } = commits();
    const one = group.add(1);
    const two = group.add(2);
    await fail(0, databaseError("42P01"));
    await expect(one).rejects.toThrow("SQLSTATE 42P01");
    await succeed(1);
    expect(await two).toBe("done 2");
  });

  it("can be waited for", async () => {
    const { group, succeed } = commits();
    await group.drain();
    const one = group.add(1);
    const drained = group.drain();
    await succeed(0);
    await drained;
    expect(await one).toBe("done 1");
  });
});

describe("a fault that passes", () => {
  it.each(["40001", "40P01", "57014", "57P01", "08006", "53300"])(
    "with SQLSTATE %s gets the same batch once more",
    async (code) => {
      const { group, tried } = refusing((_items, tries) =>
        tries === 2 ? databaseError(code) : undefined,
      );
      const added = [1, 2, 3].map((item) => group.add(item));
      expect(await outcomes(added)).toEqual(["done 1", "done 2", "done 3"]);
      expect(tried).toEqual([[1], [2, 3], [2, 3]]);
    },
  );

  it("that does not pass is told to all as one to try again later", async () => {
    const { group, tried } = refusing(() => databaseError("57P01"));
    const [one, two, three] = await outcomes([1, 2, 3].map((item) => group.add(item)));
    for (const error of [one, two, three]) {
      expect(error).toBeInstanceOf(Overloaded);
      expect((error as Error).cause).toMatchObject({ code: "57P01" });
    }
    expect(tried).toEqual([[1], [1], [2, 3], [2, 3]]);
  });

  it.each([
    ["a lost connection", new Error("Connection terminated unexpectedly")],
    ["a refused one", Object.assign(new Error("connect"), { code: "ECONNREFUSED" })],
  ])("is also %s, which has no SQLSTATE", async (_name, error) => {
    const { group, tried } = refusing((_items, tries) => (tries === 1 ? error : undefined));
    expect(await group.add(1)).toBe("done 1");
    expect(tried).toEqual([[1], [1]]);
  });
});

describe("an item that the database refuses", () => {
  it.each(["22021", "22P02", "23502", "54000"])(
    "with SQLSTATE %s neither blocks nor loses its neighbours",
    async (code) => {
      const { group, tried } = refusing((items) =>
        items.includes(3) ? databaseError(code) : undefined,
      );
      const results = await outcomes([1, 2, 3, 4].map((item) => group.add(item)));
      expect(results).toEqual(["done 1", "done 2", databaseError(code), "done 4"]);
      expect(tried).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
    },
  );

  it("is told so by itself too, and is not tried twice", async () => {
    const { group, tried } = refusing(() => databaseError("22021"));
    await expect(group.add(1)).rejects.toMatchObject({ code: "22021" });
    expect(tried).toEqual([[1]]);
  });
});
