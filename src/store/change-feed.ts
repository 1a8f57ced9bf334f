import { type RawBuilder, sql } from "kysely";
import type { Database, DatabaseTransaction } from "./database.ts";
import { prepared } from "./pooled-client.ts";

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

// With what is done each minute, an idle process makes no more than one query a second.
const READ_EVERY_MS = 1200;
const STALE_AFTER_MS = 4000;
// A row's seq is taken before its commit, so a smaller one can appear behind a larger. No change
// is made by a transaction that lasts this long; what was seen within it is remembered by seq.
const OVERLAP_SECONDS = 30;

/** A look that somebody wants once a second: a scalar expression in JSON, and who hears its value. */
export type Question = { ask: RawBuilder<unknown>; hear: (answer: unknown) => void };

export type ChangeFeed = {
  /** Calls back for every change by any process, this one included, within about a second. */
  subscribe(listener: (change: Change) => void): void;
  /** False when changes have not been read for 4 s: whoever caches must ask the database. */
  fresh(): boolean;
  /** Asks this too once a second, in the same query: an idle process makes no other. */
  alsoAsk(question: Question): void;
  /** Likewise of something that is to be done: `poke` is called while `ask` is true. */
  pokeWhile(ask: RawBuilder<boolean>, poke: () => void): void;
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
  const questions: Question[] = [];

  function recentChanges(sinceMs: number): Question {
    const overlapSeconds = OVERLAP_SECONDS + (sinceMs - readAtMs) / 1000;
    return {
      ask: sql`
        select coalesce(json_agg(json_build_array(seq::text, kind, key) order by seq), '[]')
        from change
        where changed_at > now() - make_interval(secs => ${overlapSeconds})`,
      hear(answer) {
        const rows = answer as [seq: string, kind: ChangeKind, key: string][];
        const fresh = rows.filter(([seq]) => !seen.has(seq));
        seen = new Set(rows.map(([seq]) => seq));
        for (const [, kind, key] of fresh) {
          for (const listener of listeners) {
            listener({ kind, key });
          }
        }
        readAtMs = sinceMs;
      },
    };
  }

  async function readOnce(others: readonly Question[]): Promise<void> {
    const asked = [recentChanges(performance.now()), ...others];
    const parts = asked.map(({ ask }, index) => sql`(${ask}) as ${sql.ref(`answer_${index}`)}`);
    // A long statement over many tables that finds nothing: to plan it took most of its time. Questions
    // are only ever added, so how many there are tells one text from another.
    const { rows } = await sql<Record<string, unknown>>`
      ${prepared(`change_feed_${parts.length}`)} select ${sql.join(parts)}`.execute(options.db);
    for (const [index, { hear }] of asked.entries()) {
      hear(rows[0]?.[`answer_${index}`]);
    }
  }

  /** One at a time; one that is under way may have begun before what the caller wants to hear. */
  async function read(others: readonly Question[] = []): Promise<void> {
    const before = reading ?? Promise.resolve();
    const mine = before.then(() => readOnce(others)).catch(options.onError);
    reading = mine;
    await mine;
    if (reading === mine) {
      reading = undefined;
    }
  }

  const timer = setInterval(() => {
    if (reading === undefined) {
      void read(questions);
    }
  }, READ_EVERY_MS);
  return {
    subscribe: (listener) => void listeners.push(listener),
    fresh: () => performance.now() - readAtMs < STALE_AFTER_MS,
    alsoAsk: (question) => void questions.push(question),
    pokeWhile: (ask, poke) =>
      void questions.push({ ask, hear: (answer) => void (answer === true && poke()) }),
    read: () => read(),
    async stop() {
      clearInterval(timer);
      await reading;
    },
  };
}
