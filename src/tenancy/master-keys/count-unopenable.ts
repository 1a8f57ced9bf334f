import { sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { CannotOpen, type Sealer } from "../sealing.ts";
import { SEALED_COLUMNS, type SealedColumn } from "./sealed-columns.ts";

const BATCH = 1000;

/** Tries every stored secret: how many there are, and how many do not open with these master keys. */
export async function countUnopenable(
  db: Database,
  sealer: Sealer,
): Promise<{ secrets: number; unopenable: number; reason: string }> {
  const count = { secrets: 0, unopenable: 0, reason: "" };
  for (const column of SEALED_COLUMNS.filter(({ passing }) => passing !== true)) {
    for await (const row of readSealed(db, column)) {
      count.secrets += 1;
      try {
        sealer.open(row.sealed, {
          purpose: column.purpose,
          rowId: row.row_id,
          tenantId: row.tenant_id,
        });
      } catch (error) {
        if (!(error instanceof CannotOpen)) {
          throw error;
        }
        count.unopenable += 1;
        count.reason ||= error.message;
      }
    }
  }
  return count;
}

type SealedRow = { row_id: string; tenant_id: string; sealed: Buffer };

async function* readSealed(db: Database, column: SealedColumn): AsyncGenerator<SealedRow> {
  const sealed = sql.ref(column.column);
  let after = "";
  for (;;) {
    const { rows } = await sql<SealedRow>`
      select ${column.rowId} as row_id, ${column.tenantId} as tenant_id, ${sealed} as sealed
      from ${sql.table(column.table)}
      where ${sealed} is not null and id > ${after} order by id limit ${BATCH}`.execute(db);
    yield* rows;
    const last = rows.at(-1);
    if (rows.length < BATCH || last === undefined) {
      return;
    }
    after = last.row_id;
  }
}
