import { sql } from "kysely";
import { ApiError } from "../../errors.ts";
import { alone } from "../../store/alone.ts";
import type { Database } from "../../store/database.ts";
import type { KeyJobRow } from "./key-jobs.ts";
import type { RotateKey } from "./rotate-key.ts";

/** When a number's key is being changed already. */
const AGAIN_AFTER_SECONDS = 10;

const NOT_UNDER_WAY = sql<boolean>`not exists (
  select from key_rotation r where r.id = rotation_id and r.closed_at is null)`;

/** Whether a job has a number to go on with, or something to note; for a look once a second. */
export const KEY_JOB_DUE = sql<boolean>`exists (
  select from key_job j where j.state = 'running' and (
    (j.next_at < now() and exists (select from key_job_number n
      where n.job_id = j.id and n.state = 'pending' and n.due_at < now()))
    or not exists (select from key_job_number n
      where n.job_id = j.id and n.state in ('pending', 'rotating')))
  union all
  select from key_job_number where state = 'rotating' and ${NOT_UNDER_WAY})`;

/**
 * Changes the key of one number of the oldest job that is due, in one process at a time. What a process
 * that died has begun is finished by whoever takes the rotation over, and only noted here.
 * @returns in how many milliseconds the job goes on; `undefined` where there was nothing to do
 */
export async function workOnKeyJobs(
  db: Database,
  rotateKey: RotateKey,
): Promise<number | undefined> {
  return alone(db, "key_job", async () => {
    await noteEnds(db);
    const next = await takeNext(db);
    if (next === undefined) {
      return undefined;
    }
    await rotateOne(db, rotateKey, next);
    await noteEnds(db);
    return paceMs(next.job);
  });
}

const paceMs = ({ per_minute }: Pick<KeyJobRow, "per_minute">): number => 60_000 / per_minute;

async function noteEnds(db: Database): Promise<void> {
  await sql`
    update key_job_number n set code = r.code, detail = r.detail,
      state = case r.outcome when 'failed' then 'failed' else 'rotated' end
    from key_rotation r
    where n.state = 'rotating' and r.id = n.rotation_id and r.closed_at is not null`.execute(db);
  await sql`
    update key_job_number n set state = 'failed', code = 'not_found', detail = 'The number is gone.'
    where n.state = 'rotating' and not exists (
      select from key_rotation r where r.id = n.rotation_id)`.execute(db);
  await sql`
    update key_job j set state = 'finished', finished_at = now()
    where j.state = 'running' and not exists (
      select from key_job_number n
      where n.job_id = j.id and n.state in ('pending', 'rotating'))`.execute(db);
}

type Next = { job: KeyJobRow; numberId: string };

async function takeNext(db: Database): Promise<Next | undefined> {
  const due = await db
    .selectFrom("key_job as j")
    .innerJoin("key_job_number as n", "n.job_id", "j.id")
    .where("j.state", "=", "running")
    .where("j.next_at", "<=", sql<Date>`now()`)
    .where("n.state", "=", "pending")
    .where("n.due_at", "<=", sql<Date>`now()`)
    .selectAll("j")
    .select("n.number_id")
    .orderBy("j.created_at")
    .orderBy("n.due_at")
    .orderBy("n.number_id")
    .limit(1)
    .executeTakeFirst();
  if (due === undefined) {
    return undefined;
  }
  const { number_id: numberId, ...job } = due;
  await db
    .updateTable("key_job")
    .set({ next_at: sql<Date>`now() + make_interval(secs => ${paceMs(job) / 1000})` })
    .where("id", "=", job.id)
    .execute();
  return { job, numberId };
}

async function rotateOne(db: Database, rotateKey: RotateKey, { job, numberId }: Next) {
  const wish = { reason: job.reason, actor: job.actor, jobId: job.id };
  const write = (q: Pick<Database, "updateTable">) =>
    q
      .updateTable("key_job_number")
      .where("job_id", "=", job.id)
      .where("number_id", "=", numberId)
      .where("state", "=", "pending");
  try {
    await rotateKey.rotate(numberId, {
      wish,
      async also(trx, rotationId) {
        await write(trx).set({ state: "rotating", rotation_id: rotationId }).execute();
      },
    });
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    // What has been opened tells itself how it ends; this is for what could not be.
    const reason = { code: error.errors?.[0]?.code ?? error.code, detail: error.message };
    const due_at = sql<Date>`now() + make_interval(secs => ${AGAIN_AFTER_SECONDS})`;
    await write(db)
      .set(error.code === "rotation_in_progress" ? { due_at } : { state: "failed", ...reason })
      .execute();
  }
}
