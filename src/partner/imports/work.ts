import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { ApiError } from "../../errors.ts";
import { keepWorkingAlone } from "../../store/alone.ts";
import type { Database } from "../../store/database.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import { auditJob } from "../audit/record-audit.ts";
import type { BringIn } from "../bring-in.ts";
import type { RegionJudge } from "../local-storage/region-judge.ts";
import { type ImportRow, type RowOutcome, workRow } from "./work-row.ts";

const LOOK_ANYWAY_MS = 60_000;
const LEASE_ROWS = 25;
/** Of 25 rows a second each asks 360dialog twice: its own 50 calls a second of the on-premise API. */
const MS_PER_ROW = 40;
const ROWS_AT_ONCE = 8;
const ATTEMPTS_MAX = 5;
/** Doubled with each attempt. */
const RETRY_AFTER_SECONDS = 5;
/** A file of which nothing has come for so long was left by a process that is gone. */
const CUT_OFF_AFTER_SECONDS = 300;
const KEPT_DAYS = 90;

export type ImportDeps = {
  db: Database;
  sealer: Sealer;
  bringIn: BringIn;
  regions: RegionJudge;
  onError: (error: unknown) => void;
};

/** Whether a row is due, or a file may have been cut off; for a look once a second. */
export const SOMETHING_TO_IMPORT = sql<boolean>`
  select exists (
    select from import_job j where j.state = 'receiving'
      and j.active_at < now() - make_interval(secs => ${sql.lit(CUT_OFF_AFTER_SECONDS)})
    union all
    select from import_job j where j.state = 'running' and (
      exists (select from import_row r
        where r.import_id = j.id and r.state = 'pending' and r.due_at <= now())
      or not exists (select from import_row r where r.import_id = j.id and r.state = 'pending')))`;

/** Works through imports, oldest first. */
export function startImports(deps: ImportDeps): ReturnType<typeof keepWorkingAlone> {
  return keepWorkingAlone({
    ...deps,
    lock: "import",
    lookAnywayMs: LOOK_ANYWAY_MS,
    async step(signal) {
      await workOn(deps, signal);
      return undefined;
    },
  });
}

async function workOn(deps: ImportDeps, signal: AbortSignal): Promise<void> {
  const { db } = deps;
  await giveUpCutOff(db);
  const jobs = await db
    .selectFrom("import_job")
    .select(["id", "dry_run"])
    .where("state", "=", "running")
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  for (const job of jobs) {
    for (let rows = await findDue(db, job.id); rows.length > 0; rows = await findDue(db, job.id)) {
      await workAtPace(deps, { rows, dryRun: job.dry_run, signal });
      if (signal.aborted) {
        return;
      }
    }
    await finishJob(db, job.id);
  }
}

async function findDue(db: Database, importId: string): Promise<ImportRow[]> {
  return db
    .selectFrom("import_row")
    .selectAll()
    .where("import_id", "=", importId)
    .where("state", "=", "pending")
    .where("due_at", "<=", sql<Date>`now()`)
    .orderBy("due_at")
    .orderBy("line")
    .limit(LEASE_ROWS)
    .execute();
}

/** One number's rows are in order: two of them may be in one file. */
async function workAtPace(
  deps: ImportDeps,
  { rows, dryRun, signal }: { rows: ImportRow[]; dryRun: boolean; signal: AbortSignal },
): Promise<void> {
  const underWay = new Map<string, Promise<void>>();
  for (const row of rows) {
    if (signal.aborted) {
      break;
    }
    const key = row.phone_number_id ?? "";
    await underWay.get(key);
    if (underWay.size >= ROWS_AT_ONCE) {
      await Promise.race(underWay.values());
    }
    // What goes wrong with the database leaves the row waiting.
    const work = settleRow(deps, row, dryRun).catch(deps.onError);
    underWay.set(
      key,
      work.finally(() => underWay.delete(key)),
    );
    await sleep(MS_PER_ROW);
  }
  await Promise.all(underWay.values());
}

async function settleRow(deps: ImportDeps, row: ImportRow, dryRun: boolean): Promise<void> {
  const { db } = deps;
  const write = db
    .updateTable("import_row")
    .where("import_id", "=", row.import_id)
    .where("line", "=", row.line);
  let outcome: RowOutcome;
  try {
    outcome = await workRow(deps, row, { dryRun });
  } catch (error) {
    const attempts = row.attempt_count + 1;
    const known = error instanceof ApiError;
    if (!known) {
      deps.onError(error);
    }
    const passes = !known || error.code === "upstream_unreachable";
    const reason = known
      ? { code: reasonOf(error), detail: error.message }
      : { code: "internal_error", detail: "It went wrong here; the log tells more." };
    if (passes && attempts < ATTEMPTS_MAX) {
      const due = sql<Date>`now() + make_interval(secs => ${RETRY_AFTER_SECONDS * 2 ** row.attempt_count})`;
      await write.set({ ...reason, attempt_count: attempts, due_at: due }).execute();
    } else {
      await write
        .set({ ...reason, state: "refused", attempt_count: attempts, api_key_sealed: null })
        .execute();
    }
    return;
  }
  const { state, numberId, warning } = outcome;
  const told = { code: warning?.code ?? null, detail: warning?.detail ?? null };
  const settled = { state, number_id: numberId, api_key_sealed: null, ...told };
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable("import_row")
      .set({ ...settled, attempt_count: row.attempt_count + 1 })
      .where("import_id", "=", row.import_id)
      .where("line", "=", row.line)
      .execute();
    if (state === "imported" && numberId !== null) {
      await auditJob(trx, "import", {
        target: { import_id: row.import_id, number_id: numberId },
        before: null,
        after: { state },
      });
    }
  });
}

/** Where a member is at fault its own reason says more than `invalid_request`. */
function reasonOf(error: ApiError): string {
  return error.errors?.[0]?.code ?? error.code;
}

async function finishJob(db: Database, importId: string): Promise<void> {
  await sql`
    update import_job set state = 'finished', finished_at = now(), active_at = now()
    where id = ${importId} and not exists (
      select from import_row where import_id = ${importId} and state = 'pending')`.execute(db);
}

/** What was done long ago, with its rows; called once an hour. */
export async function pruneImports(db: Database): Promise<void> {
  await db
    .deleteFrom("import_job")
    .where("finished_at", "<", sql<Date>`now() - make_interval(days => ${KEPT_DAYS})`)
    .execute();
}

async function giveUpCutOff(db: Database): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const gone = await trx
      .updateTable("import_job")
      .set({ state: "cut_off", finished_at: sql<Date>`now()` })
      .where("state", "=", "receiving")
      .where("active_at", "<", sql<Date>`now() - make_interval(secs => ${CUT_OFF_AFTER_SECONDS})`)
      .returning("id")
      .execute();
    for (const { id } of gone) {
      // Its keys with it: nobody will use them.
      await trx.deleteFrom("import_row").where("import_id", "=", id).execute();
    }
  });
}
