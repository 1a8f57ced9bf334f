import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "./database.ts";

/** What changed, so that every process forgets what it remembers of it. */
export type ChangeKind =
  "tenant" | "client" | "hook" | "signing_key" | "revoked_token" | "issuer" | "destination_rule";
/** `key` is the id of what changed; of a revoked token its `jti`, of an issuer its `iss`. */
export type Change = { kind: ChangeKind; key: string };

/** Written in the transaction that makes the change, so that it is seen if and only if that is. */
export async function announceChange(
  db: Database | DatabaseTransaction,
  change: Change,
): Promise<void> {
  await db.insertInto("change").values(change).execute();
}

/** What every process has long heard of; called once an hour. */
export async function pruneChanges(db: Database): Promise<void> {
  await sql`delete from change where changed_at < now() - interval '1 day'`.execute(db);
}

const READ_EVERY_MS = 1000;
const STALE_AFTER_MS = 4000;
// A row's seq is taken before its commit, so a smaller one can appear behind a larger. No change
// is made by a transaction that lasts this long; what was seen within it is remembered by seq.
const OVERLAP_SECONDS = 30;

export type ChangeFeed = {
  /** Calls back for every change by any process, this one included, within about a second. */
  subscribe(listener: (change: Change) => void): void;
  /** False when changes have not been read for 4 s: whoever caches must ask the database. */
  fresh(): boolean;
  /** Reads now instead of at the next second: what was committed before the call is heard. */
  read: () => Promise<void>;
  stop: () => Promise<void>;
};

export function startChangeFeed(options: {
  db: Database;
  onError: (error: unknown) => void;
}): ChangeFeed {
  const listeners: ((change: Change) => void)[] = [];
  let seen = new Set<string>();
  let readAtMs = performance.now();
  let reading: Promise<void> | undefined;

  async function readOnce(): Promise<void> {
    const startedMs = performance.now();
    const overlapSeconds = OVERLAP_SECONDS + (startedMs - readAtMs) / 1000;
    const { rows } = await sql<{ seq: string; kind: ChangeKind; key: string }>`
      select seq, kind, key from change
      where changed_at > clock_timestamp() - make_interval(secs => ${overlapSeconds})
      order by seq`.execute(options.db);
    const fresh = rows.filter((row) => !seen.has(row.seq));
    seen = new Set(rows.map((row) => row.seq));
    for (const { kind, key } of fresh) {
      for (const listener of listeners) {
        listener({ kind, key });
      }
    }
    readAtMs = startedMs;
  }

  /** One at a time; one that is under way may have begun before what the caller wants to hear. */
  async function read(): Promise<void> {
    const before = reading ?? Promise.resolve();
    const mine = before.then(readOnce).catch(options.onError);
    reading = mine;
    await mine;
    if (reading === mine) {
      reading = undefined;
    }
  }

  const timer = setInterval(() => {
    if (reading === undefined) {
      void read();
    }
  }, READ_EVERY_MS);
  return {
    subscribe: (listener) => void listeners.push(listener),
    fresh: () => performance.now() - readAtMs < STALE_AFTER_MS,
    read,
    async stop() {
      clearInterval(timer);
      await reading;
    },
  };
}
