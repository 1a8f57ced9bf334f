import { isPassingTrouble } from "../store/database.ts";

export type WriteBehind<Item> = {
  /**
   * Nothing waits. When too much is there already it is dropped and counted, unless it corrects what
   * may be there: that is little, and without it the database would be told what is not so.
   */
  add(item: Item, options?: { corrects?: boolean }): void;
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
  /** In parts that can be refused by themselves, in order. */
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
  let isStopped = false;
  let writing: Promise<void> | undefined;
  let againTimer: NodeJS.Timeout | undefined;
  let gatherTimer: NodeJS.Timeout | undefined;
  /** What is gathered has waited long enough. */
  let isDue = false;

  function packGathered(): void {
    clearTimeout(gatherTimer);
    gatherTimer = undefined;
    isDue = false;
    if (gathered.length > 0) {
      const batch = options.pack(gathered);
      waiting.push({ batch, count: gathered.length, bytes: gatheredBytes });
      waitingBytes += gatheredBytes;
      gathered = [];
      gatheredBytes = 0;
    }
  }

  function write(): void {
    clearTimeout(againTimer);
    writing ??= writeWaiting().finally(() => {
      writing = undefined;
      reportDropped();
    });
  }

  /** Behind a database that is away or slow, what is gathered waits until its batch is full. */
  async function writeWaiting(): Promise<void> {
    for (;;) {
      if (waiting.length === 0 && isDue) {
        packGathered();
      }
      const [first] = waiting;
      if (first === undefined) {
        return;
      }
      try {
        await options.write(first.batch);
      } catch (error) {
        if (isPassingTrouble(error)) {
          againTimer = setTimeout(write, FLUSH_EVERY_MS);
          return;
        }
        if (first.count > 1) {
          // One that the database refuses takes none of its neighbours with it.
          waiting.splice(0, 1, ...splitUp(first));
          continue;
        }
        options.onError(error);
      }
      waiting.shift();
      waitingBytes -= first.bytes;
    }
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

  function drop(count: number): void {
    droppedCount += count;
    if (isStopped) {
      reportDropped();
    }
  }

  return {
    add(item, { corrects = false } = {}) {
      const bytes = options.weigh(item) + ROW_BYTES;
      const isFull = waitingBytes + gatheredBytes + bytes > WAITING_BYTES_MAX;
      if (isStopped || (isFull && !corrects)) {
        drop(1);
        return;
      }
      gatheredBytes += bytes;
      gathered.push(item);
      gatherTimer ??= setTimeout(() => {
        isDue = true;
        write();
      }, FLUSH_EVERY_MS);
      if (gathered.length === BATCH_ITEMS_MAX || gatheredBytes > BATCH_BYTES_MAX) {
        packGathered();
        setImmediate(write);
      }
    },
    async drain() {
      await writing;
      packGathered();
      write();
      await writing;
      clearTimeout(againTimer);
      isStopped = true;
      // What could not be written is lost with the process.
      drop(waiting.reduce((sum, { count }) => sum + count, 0));
      waiting = [];
    },
  };
}
