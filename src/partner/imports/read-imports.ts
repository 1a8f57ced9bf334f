import { type Selectable, sql } from "kysely";
import { NotFound } from "../../errors.ts";
import type { Schemas } from "../../http/contract-types.ts";
import type { Database } from "../../store/database.ts";
import type { ImportJobTable } from "../../store/schema/imports.ts";
import type { ImportRow } from "./work-row.ts";

type ImportJobRow = Selectable<ImportJobTable>;
export type ImportRowState = ImportRow["state"];

const NO_ROWS = { pending: 0, imported: 0, unchanged: 0, valid: 0, refused: 0 };

/** The job, with how many of its rows are in which state. @throws {NotFound} */
export async function getImport(db: Database, importId: string): Promise<Schemas["Import"]> {
  const job = await getJob(db, importId);
  const counted = await db
    .selectFrom("import_row")
    .select(["state", sql<number>`count(*)::int`.as("count")])
    .where("import_id", "=", importId)
    .groupBy("state")
    .execute();
  const rows = {
    ...NO_ROWS,
    ...Object.fromEntries(counted.map(({ state, count }) => [state, count])),
  };
  return {
    id: job.id,
    dry_run: job.dry_run,
    state: job.state,
    row_count: counted.reduce((sum, { count }) => sum + count, 0),
    rows,
    created_at: job.created_at.toISOString(),
    finished_at: job.finished_at?.toISOString() ?? null,
  };
}

/** @throws {NotFound} */
export async function getJob(db: Database, importId: string): Promise<ImportJobRow> {
  const job = await db
    .selectFrom("import_job")
    .selectAll()
    .where("id", "=", importId)
    .executeTakeFirst();
  if (job === undefined) {
    throw new NotFound();
  }
  return job;
}

/** In the order of the file; one more than `limit`. */
export async function listImportRows(
  db: Database,
  importId: string,
  page: { limit: number; after: string[] | undefined; state: string | undefined },
): Promise<ImportRow[]> {
  return db
    .selectFrom("import_row")
    .selectAll()
    .where("import_id", "=", importId)
    .$if(page.state !== undefined, (q) => q.where("state", "=", page.state as ImportRowState))
    .$if(page.after !== undefined, (q) => q.where("line", ">", Number(page.after?.[0] ?? 0)))
    .orderBy("line")
    .limit(page.limit + 1)
    .execute();
}

export function presentImportRow(row: ImportRow): Schemas["ImportRow"] {
  return {
    line: row.line,
    tenant_external_id: row.tenant_external_id,
    phone_number_id: row.phone_number_id,
    state: row.state,
    code: row.code,
    detail: row.detail,
    number_id: row.number_id,
  };
}

export const IMPORT_COLUMNS = [
  "line",
  "tenant_external_id",
  "phone_number_id",
  "state",
  "code",
  "detail",
  "number_id",
] as const satisfies readonly (keyof Schemas["ImportRow"])[];

const PAGE_ROWS = 500;

/** All rows, a page at a time. */
export async function* pagesOfImport(
  db: Database,
  importId: string,
  state: string | undefined,
): AsyncGenerator<Schemas["ImportRow"][]> {
  let after: string[] | undefined;
  do {
    const rows = await listImportRows(db, importId, { limit: PAGE_ROWS, after, state });
    const shown = rows.slice(0, PAGE_ROWS).map(presentImportRow);
    yield shown;
    after = rows.length > PAGE_ROWS ? [String(shown.at(-1)?.line)] : undefined;
  } while (after !== undefined);
}
