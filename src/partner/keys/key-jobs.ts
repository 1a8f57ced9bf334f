import { type Selectable, sql } from "kysely";
import { NotFound } from "../../errors.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { newId } from "../../ids.ts";
import type { Database } from "../../store/database.ts";
import type { KeyJobNumberTable, KeyJobTable } from "../../store/schema/keys.ts";

export type KeyJobRow = Selectable<KeyJobTable>;
export type KeyJobNumberRow = Selectable<KeyJobNumberTable>;

/** Which numbers; what is `undefined` narrows nothing. */
export type KeyJobFilter = {
  tenantId?: string | undefined;
  numberIds?: string[] | undefined;
  olderThanDays?: number | undefined;
  /** Only those of which it may be expected to work. */
  hopeful?: boolean;
};

const NONE = { pending: 0, rotating: 0, rotated: 0, failed: 0, valid: 0 };
const KEPT_DAYS = 90;

/**
 * A job over the numbers as they are now, but for suspended ones; a dry run is finished at once.
 * @returns its id; `undefined` where there is no such number
 */
export async function createKeyJob(
  db: Database,
  job: Pick<KeyJobRow, "reason" | "actor" | "per_minute" | "dry_run"> & { filter: KeyJobFilter },
): Promise<{ id: string; count: number }> {
  const { filter, ...columns } = job;
  const id = newId("kjb");
  const state = job.dry_run
    ? sql`case when channel_id is null then 'failed' else 'valid' end`
    : sql`'pending'`;
  const code = job.dry_run
    ? sql`case when channel_id is null then 'channel_id_missing' end`
    : sql`null`;
  const conditions = [
    sql`state <> 'suspended'`,
    ...(filter.tenantId === undefined ? [] : [sql`tenant_id = ${filter.tenantId}`]),
    ...(filter.numberIds === undefined ? [] : [sql`id = any (${filter.numberIds}::text[])`]),
    ...(filter.olderThanDays === undefined
      ? []
      : [sql`key_made_at < now() - make_interval(days => ${filter.olderThanDays})`]),
    ...(filter.hopeful === true ? [HOPEFUL] : []),
  ];
  return db.transaction().execute(async (trx) => {
    await trx
      .insertInto("key_job")
      .values({
        id,
        ...columns,
        ...(job.dry_run && { state: "finished", finished_at: sql<Date>`now()` }),
      })
      .execute();
    const chosen = await sql`
      insert into key_job_number (job_id, number_id, state, code)
      select ${id}, id, ${state}, ${code} from phone_number
      where ${sql.join(conditions, sql` and `)}`.execute(trx);
    return { id, count: Number(chosen.numAffectedRows ?? 0n) };
  });
}

const HOPEFUL = sql`state = 'running' and channel_id is not null and not exists (
  select from key_rotation r where r.number_id = phone_number.id
    and (r.closed_at is null or (r.outcome = 'failed' and r.opened_at > now() - interval '1 day')))`;

/** @throws {NotFound} */
export async function getKeyJob(db: Database, id: string): Promise<Schemas["KeyJob"]> {
  const job = await db.selectFrom("key_job").selectAll().where("id", "=", id).executeTakeFirst();
  if (job === undefined) {
    throw new NotFound();
  }
  return (await withCounts(db, [job]))[0] as Schemas["KeyJob"];
}

/** Newest first; one more than `limit`. */
export async function listKeyJobs(
  db: Database,
  page: { limit: number; after: string[] | undefined },
): Promise<Schemas["KeyJob"][]> {
  const jobs = await db
    .selectFrom("key_job")
    .selectAll()
    .$if(page.after !== undefined, (q) => q.where("id", "<", page.after?.[0] ?? ""))
    .orderBy("id", "desc")
    .limit(page.limit + 1)
    .execute();
  return withCounts(db, jobs);
}

async function withCounts(db: Database, jobs: KeyJobRow[]): Promise<Schemas["KeyJob"][]> {
  const counted = await db
    .selectFrom("key_job_number")
    .select(["job_id", "state", sql<number>`count(*)::int`.as("count")])
    .where("job_id", "in", [...jobs.map(({ id }) => id), ""])
    .groupBy(["job_id", "state"])
    .execute();
  return jobs.map((job) => {
    const own = counted.filter(({ job_id }) => job_id === job.id);
    return {
      id: job.id,
      reason: job.reason,
      dry_run: job.dry_run,
      state: job.state,
      per_minute: job.per_minute,
      number_count: own.reduce((sum, { count }) => sum + count, 0),
      numbers: { ...NONE, ...Object.fromEntries(own.map(({ state, count }) => [state, count])) },
      created_at: job.created_at.toISOString(),
      finished_at: job.finished_at?.toISOString() ?? null,
    };
  });
}

/** What has not begun will not begin; what is under way is finished. @throws {NotFound} */
export async function stopKeyJob(db: Database, id: string): Promise<Schemas["KeyJob"]> {
  await db
    .updateTable("key_job")
    .set({ state: "stopped", finished_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where("state", "=", "running")
    .execute();
  return getKeyJob(db, id);
}

/** By the numbers' ids; one more than `limit`. */
export async function listKeyJobNumbers(
  db: Database,
  jobId: string,
  page: { limit: number; after: string[] | undefined },
): Promise<KeyJobNumberRow[]> {
  return db
    .selectFrom("key_job_number")
    .selectAll()
    .where("job_id", "=", jobId)
    .$if(page.after !== undefined, (q) => q.where("number_id", ">", page.after?.[0] ?? ""))
    .orderBy("number_id")
    .limit(page.limit + 1)
    .execute();
}

export function presentKeyJobNumber(row: KeyJobNumberRow): Schemas["KeyJobNumber"] {
  const { number_id, state, rotation_id, code, detail } = row;
  return { number_id, state, rotation_id, code, detail };
}

/** What was done long ago; called once an hour. */
export async function pruneKeyJobs(db: Database): Promise<void> {
  await db
    .deleteFrom("key_job")
    .where("finished_at", "<", sql<Date>`now() - make_interval(days => ${KEPT_DAYS})`)
    .execute();
}
