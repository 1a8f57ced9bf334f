import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { keepLooking } from "../clock.ts";
import type { Database } from "./database.ts";

type Job =
  | "template_sync"
  | "import"
  | "key_job"
  | "onboarding"
  | "watch"
  | "hub_sync"
  | "erasure"
  | "drop_old_partitions";

/**
 * Does the work in one process at a time; `undefined` where another is at it. The lock is its
 * connection's, so that it ends with the process.
 */
export async function alone<T>(
  db: Database,
  lock: Job,
  work: (connection: Database) => Promise<T>,
): Promise<T | undefined> {
  return db.connection().execute(async (connection) => {
    const { rows } = await sql<{ mine: boolean }>`
      select pg_try_advisory_lock(hashtext(${lock})) as mine`.execute(connection);
    if (rows[0]?.mine !== true) {
      return undefined;
    }
    try {
      return await work(connection);
    } finally {
      await sql`select pg_advisory_unlock(hashtext(${lock}))`.execute(connection);
    }
  });
}

/**
 * Works on what is due in one process at a time, when poked and now and then, until it is stopped;
 * another process goes on where one has died.
 */
export function keepWorkingAlone(options: {
  db: Database;
  lock: Job;
  lookAnywayMs: number;
  /** Does what is due first, and says how long to pause before the next; `undefined` when nothing is due. */
  step: (signal: AbortSignal) => Promise<number | undefined>;
  onError: (error: unknown) => void;
}): { poke: () => void; stop: () => Promise<void> } {
  const { db, lock, lookAnywayMs, step, onError } = options;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function work(): Promise<void> {
    while (!signal.aborted) {
      const pauseMs = await step(signal);
      if (pauseMs === undefined) {
        return;
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  const looking = keepLooking(async () => {
    await alone(db, lock, work).catch(onError);
    return lookAnywayMs;
  });
  return {
    poke: looking.poke,
    async stop() {
      stopping.abort();
      await looking.stop();
    },
  };
}
