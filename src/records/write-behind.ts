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

type Packed<Batch> = { batch: Batch; count: number; bytes: number };

/**
 * Writes after the fact and in batches what nobody waits for. While the database is away batches
 * wait; past a bound new items are dropped, so that neither memory nor a caller pays for it. Without
 * items there is no timer and no query.
 */
export function createWriteBehind<Item, Batch>(options: {
  /** As soon as a batch is full, so that what waits for a slow database is no longer items. */
  pack: (items: readonly Item[]) => Batch;
  write: (batch: Batch) => Promise<void>;
  /** Each item by itself, in order. */
  split: (batch: Batch) => Batch[];
  weigh: (item: Item) => number;
  /** Why an item of its own could not be written; it is gone. */
  onError: (error: unknown) => void;
  onDropped: (count: number) => void;
}): WriteBehind<Item> {
  let gathered: Item[] = [];
  let gatheredBytes = 0;
  let waiting: Packed<Batch>[] = [];
  let waitingBytes = 0;
  let droppedCount = 0;
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;

  function packGathered(): void {
    if (gathered.length > 0) {
      const batch = options.pack(gathered);
      waiting.push({ batch, count: gathered.length, bytes: gatheredBytes });
      waitingBytes += gatheredBytes;
      gathered = [];
      gatheredBytes = 0;
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    flushing ??= flushWaiting();
  }

  async function flushWaiting(): Promise<void> {
    if (waiting.length === 0) {
      packGathered();
    }
    const isWritten = await writeWaiting();
    flushing = undefined;
    reportDropped();
    if (waiting.length > 0 || gathered.length > 0) {
      timer ??= setTimeout(flush, isWritten && waiting.length > 0 ? 0 : FLUSH_EVERY_MS);
    }
  }

  /**
   * Whether all that waits now is written. What comes meanwhile is left to gather: taking it along
   * would make a busy process write without end, a few items at a time.
   */
  async function writeWaiting(): Promise<boolean> {
    const left = waiting;
    waiting = [];
    for (let first = left.shift(); first !== undefined; first = left.shift()) {
      try {
        await options.write(first.batch);
        waitingBytes -= first.bytes;
      } catch (error) {
        if (isPassingTrouble(error)) {
          waiting = [first, ...left, ...waiting];
          return false;
        }
        if (first.count > 1) {
          // One that the database refuses takes none of its neighbours with it.
          left.unshift(...splitUp(first));
        } else {
          options.onError(error);
          waitingBytes -= first.bytes;
        }
      }
    }
    return true;
  }

  function splitUp({ batch, bytes }: Packed<Batch>): Packed<Batch>[] {
    const singles = options.split(batch);
    return singles.map((single) => ({ batch: single, count: 1, bytes: bytes / singles.length }));
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
      if (waitingBytes + gatheredBytes + bytes > WAITING_BYTES_MAX) {
        droppedCount++;
        return false;
      }
      gatheredBytes += bytes;
      gathered.push(item);
      if (gathered.length === BATCH_ITEMS_MAX || gatheredBytes > BATCH_BYTES_MAX) {
        packGathered();
        setImmediate(flush);
      }
      return true;
    },
    async drain() {
      await flushing;
      packGathered();
      flush();
      await flushing;
      clearTimeout(timer);
      // What could not be written is lost with the process.
      droppedCount += waiting.reduce((sum, { count }) => sum + count, gathered.length);
      waiting = [];
      gathered = [];
      reportDropped();
    },
  };
}
