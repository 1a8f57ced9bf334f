import { setTimeout as sleep } from "node:timers/promises";
import { isPassingTrouble, sqlState } from "../store/database.ts";

export type GroupCommit<Item, Result> = {
  /** Settles when the item is committed. @throws {Overloaded}, or why this very item failed */
  add(item: Item): Promise<Result>;
  /** Whether an item would be refused now, so that nothing need be done for one that is coming. */
  isFull(): boolean;
  /** Waits for what has been added. */
  drain(): Promise<void>;
};

/** More waits than may be held, or the database cannot be written to: try again later. */
export class Overloaded extends Error {
  override readonly name = "Overloaded";
}

type Waiting<Item, Result> = {
  item: Item;
  sinceMs: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
};

/**
 * What arrives while commits are under way goes into the next one together: one statement, one
 * commit, many answers. After a rest an item is committed at once; under load the batches grow by
 * themselves.
 */
export function createGroupCommit<Item, Result>(options: {
  commit: (items: readonly Item[]) => Promise<Result[]>;
  /** What an item weighs in the bounds below: bytes, or 1 where items are alike. */
  weigh: (item: Item) => number;
  /** How much one commit takes, though always one item. */
  batchMax: number;
  /** How many are under way at most; one that waits for the disk does not keep a second one. */
  commitsMax?: number;
  /** Likewise while a batch is full: its answer may wait long to be heard, and that must not be all. */
  fullCommitsMax?: number;
  /**
   * At least so long lie between the beginnings of two, where a commit costs much and an item little.
   * A batch that is full gains nothing by waiting, and does not wait for a timer either: with thousands
   * of busy connections Node comes to its timers once in seconds.
   */
  paceMs?: number;
  /** Past this much waiting new items are refused: never an unbounded queue. */
  waitingMax: number;
  /** Likewise when the first of those waiting has waited so long: the rest would wait longer. */
  waitMaxMs?: number;
  now?: () => number;
  pause?: (durationMs: number) => Promise<unknown>;
}): GroupCommit<Item, Result> {
  const { commit, weigh, batchMax, waitingMax, waitMaxMs = Number.POSITIVE_INFINITY } = options;
  const { commitsMax = 1, fullCommitsMax = commitsMax, paceMs = 0 } = options;
  const { now = () => performance.now(), pause = sleep } = options;
  let waiting: Waiting<Item, Result>[] = [];
  let waitingWeight = 0;
  let runningCount = 0;
  let nextBeginsMs = Number.NEGATIVE_INFINITY;
  /** Ends the pauses of those that wait for their pace. */
  const wakes = new Set<() => void>();
  const running = new Set<Promise<void>>();

  async function run(): Promise<void> {
    runningCount += 1;
    while (waiting.length > 0 && runningCount <= runningMax()) {
      const pauseMs = nextBeginsMs - now();
      if (pauseMs > 0 && !isBatchFull()) {
        await pauseUnlessFull(pauseMs);
      } else {
        nextBeginsMs = now() + paceMs;
        await commitBatch(takeBatch());
      }
    }
    // In the same step as the last look at what waits: nothing that is added is left behind.
    runningCount -= 1;
  }

  async function pauseUnlessFull(durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wakes.add(resolve);
    void pause(durationMs).then(() => resolve());
    await promise;
    wakes.delete(resolve);
  }

  function isBatchFull(): boolean {
    return waitingWeight >= batchMax;
  }

  function runningMax(): number {
    return isBatchFull() ? fullCommitsMax : commitsMax;
  }

  function takeBatch(): Waiting<Item, Result>[] {
    let weight = 0;
    const tooMuch = waiting.findIndex(({ item }, index) => {
      weight += weigh(item);
      return index > 0 && weight > batchMax;
    });
    const batch = tooMuch === -1 ? waiting : waiting.slice(0, tooMuch);
    waiting = tooMuch === -1 ? [] : waiting.slice(tooMuch);
    waitingWeight -= batch.reduce((sum, { item }) => sum + weigh(item), 0);
    return batch;
  }

  async function commitBatch(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      settle(batch, await commitTwice(batch.map(({ item }) => item)));
    } catch (error) {
      if (batch.length > 1 && isOfOneItem(error)) {
        // One item that the database refuses must neither block nor lose its neighbours.
        for (const alone of batch) {
          await commitBatch([alone]);
        }
        return;
      }
      const reason = isPassingTrouble(error)
        ? new Overloaded("the database cannot be written to", { cause: error })
        : error;
      for (const { reject } of batch) {
        reject(reason);
      }
    }
  }

  /** A passing fault gets the same batch a second time; identities make a repeat harmless. */
  async function commitTwice(items: readonly Item[]): Promise<Result[]> {
    try {
      return await commit(items);
    } catch (error) {
      if (!isPassingTrouble(error)) {
        throw error;
      }
      return commit(items);
    }
  }

  function isFull(): boolean {
    const [first] = waiting;
    return (
      waitingWeight >= waitingMax || (first !== undefined && now() - first.sinceMs > waitMaxMs)
    );
  }

  return {
    isFull,
    add(item) {
      if (isFull()) {
        return Promise.reject(new Overloaded("too much is waiting to be committed"));
      }
      return new Promise<Result>((resolve, reject) => {
        waitingWeight += weigh(item);
        waiting.push({ item, sinceMs: now(), resolve, reject });
        if (isBatchFull()) {
          wakes.forEach((wake) => wake());
        }
        if (runningCount < runningMax()) {
          const ends = run().finally(() => running.delete(ends));
          running.add(ends);
        }
      });
    },
    async drain() {
      await Promise.all(running);
    },
  };
}

function settle<Item, Result>(batch: Waiting<Item, Result>[], results: Result[]): void {
  for (const [index, { resolve }] of batch.entries()) {
    resolve(results[index] as Result);
  }
}

/** Data that does not fit: SQLSTATE classes 22 (data), 23 (constraint), 54 (limit exceeded). */
function isOfOneItem(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error) ?? "");
}
