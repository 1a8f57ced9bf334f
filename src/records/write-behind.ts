import { isPassingTrouble } from "../store/database.ts";

export type WriteBehind<Item> = {
  /** Nothing waits. `false` when too much waits already: then it is dropped and counted. */
  add(item: Item): boolean;
  /** Writes what waits, as far as the database lets it. */
  drain(): Promise<void>;
};

const MiB = 1024 * 1024;
const FLUSH_EVERY_MS = 250;
// Few enough that putting a batch together is not felt by the calls of that moment.
const BATCH_ITEMS_MAX = 150;
const BATCH_BYTES_MAX = 4 * MiB;
const WAITING_BYTES_MAX = 64 * MiB;
// Besides its bytes, an item costs about as much as this for its row.
const ROW_BYTES = 1024;

type Waiting<Item> = { item: Item; bytes: number };

/**
 * Writes after the fact and in batches what nobody waits for. While the database is away items wait;
 * past a bound new ones are dropped, so that neither memory nor a caller pays for it. Without items
 * there is no timer and no query.
 */
export function createWriteBehind<Item>(options: {
  write: (items: readonly Item[]) => Promise<void>;
  weigh: (item: Item) => number;
  /** Why an item of its own could not be written; it is gone. */
  onError: (error: unknown) => void;
  onDropped: (count: number) => void;
}): WriteBehind<Item> {
  let waiting: Waiting<Item>[] = [];
  let waitingBytes = 0;
  let droppedCount = 0;
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    flushing ??= flushWaiting();
  }

  async function flushWaiting(): Promise<void> {
    const isWritten = await writeWaiting();
    flushing = undefined;
    reportDropped();
    if (waiting.length > 0) {
      const isBatch = isWritten && waiting.length >= BATCH_ITEMS_MAX;
      timer ??= setTimeout(flush, isBatch ? 0 : FLUSH_EVERY_MS);
    }
  }

  /**
   * Whether all that waits now is written. What comes meanwhile is left to gather: taking it along
   * would make a busy process write without end, a few items at a time.
   */
  async function writeWaiting(): Promise<boolean> {
    let left = waiting.length;
    while (left > 0) {
      const batch = takeBatch();
      if (!(await writeBatch(batch))) {
        return false;
      }
      left -= batch.length;
    }
    return true;
  }

  async function writeBatch(batch: Waiting<Item>[]): Promise<boolean> {
    try {
      await options.write(batch.map(({ item }) => item));
    } catch (error) {
      if (isPassingTrouble(error)) {
        waiting = [...batch, ...waiting];
        return false;
      }
      if (batch.length > 1) {
        return writeEach(batch);
      }
      options.onError(error);
    }
    waitingBytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0);
    return true;
  }

  /** One that the database refuses takes none of its neighbours with it. */
  async function writeEach(batch: Waiting<Item>[]): Promise<boolean> {
    for (const [index, each] of batch.entries()) {
      if (!(await writeBatch([each]))) {
        waiting = [...waiting.slice(0, 1), ...batch.slice(index + 1), ...waiting.slice(1)];
        return false;
      }
    }
    return true;
  }

  function takeBatch(): Waiting<Item>[] {
    let sum = 0;
    const tooMuch = waiting.findIndex(({ bytes }, index) => {
      sum += bytes;
      return index > 0 && (index === BATCH_ITEMS_MAX || sum > BATCH_BYTES_MAX);
    });
    return waiting.splice(0, tooMuch === -1 ? waiting.length : tooMuch);
  }

  function reportDropped(): void {
    if (droppedCount > 0) {
      options.onDropped(droppedCount);
      droppedCount = 0;
    }
  }

  return {
    add(item) {
      const bytes = options.weigh(item) + ROW_BYTES;
      timer ??= setTimeout(flush, FLUSH_EVERY_MS);
      if (waitingBytes + bytes > WAITING_BYTES_MAX) {
        droppedCount++;
        return false;
      }
      waitingBytes += bytes;
      waiting.push({ item, bytes });
      if (waiting.length === BATCH_ITEMS_MAX) {
        setImmediate(flush);
      }
      return true;
    },
    async drain() {
      await flushing;
      flush();
      await flushing;
      clearTimeout(timer);
      // What could not be written is lost with the process.
      droppedCount += waiting.length;
      waiting = [];
      reportDropped();
    },
  };
}
