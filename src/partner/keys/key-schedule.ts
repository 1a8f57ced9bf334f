import { sql } from "kysely";
import type { Schemas } from "../../http/contract-types.ts";
import type { Database } from "../../store/database.ts";
import { createKeyJob } from "./key-jobs.ts";

/** Whether it is time to look for keys that have become too old; for a look once a second. */
export const SCHEDULE_DUE = sql<boolean>`exists (
  select from key_schedule where every_days is not null and look_at < now())`;

export async function getKeySchedule(db: Database): Promise<Schemas["KeySchedule"]> {
  return db
    .selectFrom("key_schedule")
    .select(["every_days", "per_minute"])
    .executeTakeFirstOrThrow();
}

export async function putKeySchedule(
  db: Database,
  { every_days, per_minute }: { every_days: number | null; per_minute: number },
): Promise<Schemas["KeySchedule"]> {
  return db
    .updateTable("key_schedule")
    .set({ every_days, per_minute, look_at: sql<Date>`now()` })
    .returning(["every_days", "per_minute"])
    .executeTakeFirstOrThrow();
}

/** Once an hour: a job for the keys that are too old, unless one is at it. */
export async function lookAtSchedule(db: Database): Promise<void> {
  const schedule = await db
    .updateTable("key_schedule")
    .set({ look_at: sql<Date>`now() + interval '1 hour'` })
    .where("every_days", "is not", null)
    .where("look_at", "<", sql<Date>`now()`)
    .returning(["every_days", "per_minute"])
    .executeTakeFirst();
  if (schedule?.every_days === undefined || schedule.every_days === null) {
    return;
  }
  const running = await db
    .selectFrom("key_job")
    .select("id")
    .where("reason", "=", "schedule")
    .where("state", "=", "running")
    .executeTakeFirst();
  if (running === undefined) {
    const filter = { olderThanDays: schedule.every_days, hopeful: true };
    const { per_minute } = schedule;
    const job = { reason: "schedule", actor: null, per_minute, dry_run: false, filter } as const;
    const { id, count } = await createKeyJob(db, job);
    if (count === 0) {
      await db.deleteFrom("key_job").where("id", "=", id).execute();
    }
  }
}
