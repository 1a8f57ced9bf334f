import { sql } from "kysely";
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
