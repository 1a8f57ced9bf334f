import { sql } from "kysely";
import { announceChange } from "../../store/change-feed.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import { CannotOpen, type Sealer } from "../sealing.ts";
import { masterKeyIdOf, SEALED_COLUMNS, type SealedColumn } from "./sealed-columns.ts";

export type Resealed = { place: string; resealed: number; unopenable: number };

const BATCH = 200;

/**
 * Seals with the first master key whatever another one sealed, while the gateway serves: each batch is
 * a transaction that locks its rows, and what is sealed with the first key already is passed by, so that
 * a run that was cut off is simply begun again. What does not open is left as it is, and counted.
 */
export async function resealAll(
  db: Database,
  options: {
    sealer: Sealer;
    /** The id of the key that seals. */
    keyId: string;
    /** Told of each batch in its transaction. */
    onBatch: (trx: DatabaseTransaction, batch: Resealed) => Promise<void>;
  },
): Promise<Resealed[]> {
  const all: Resealed[] = [];
  for (const column of SEALED_COLUMNS) {
    const place = `${column.table}.${column.column}`;
    const total: Resealed = { place, resealed: 0, unopenable: 0 };
    const stuck: string[] = [];
    for (;;) {
      const batch = await db.transaction().execute(async (trx) => {
        const done = await resealBatch(trx, column, { ...options, passBy: stuck });
        if (done.resealed > 0) {
          await options.onBatch(trx, {
            place,
            resealed: done.resealed,
            unopenable: done.stuck.length,
          });
        }
        return done;
      });
      stuck.push(...batch.stuck);
      total.resealed += batch.resealed;
      total.unopenable += batch.stuck.length;
      if (batch.resealed + batch.stuck.length === 0) {
        break;
      }
    }
    all.push(total);
  }
  return all;
}

/** `at`: where the locked version of the row is, so that no index is needed to find it again. */
type LockedRow = { at: string; row_id: string; tenant_id: string; sealed: Buffer };

async function resealBatch(
  trx: DatabaseTransaction,
  column: SealedColumn,
  options: { sealer: Sealer; keyId: string; passBy: readonly string[] },
): Promise<{ resealed: number; stuck: string[] }> {
  const { sealer, keyId, passBy } = options;
  const table = sql.table(column.table);
  const place = sql.ref(column.column);
  const { rows } = await sql<LockedRow>`
    select ctid::text as at, ${column.rowId} as row_id, ${column.tenantId} as tenant_id, ${place} as sealed
    from ${table}
    where ${place} is not null and ${masterKeyIdOf(column.column)} <> ${keyId}
      and ${column.rowId} <> all (${[...passBy]}::text[])
    limit ${BATCH} for update`.execute(trx);
  const stuck: string[] = [];
  let resealed = 0;
  for (const { at, row_id: rowId, tenant_id: tenantId, sealed } of rows) {
    const context = { purpose: column.purpose, rowId, tenantId };
    const again = openOrNothing(() => sealer.seal(sealer.open(sealed, context), context));
    if (again === undefined) {
      stuck.push(rowId);
      continue;
    }
    await sql`
      update ${table} set ${place} = ${again} where ctid = ${at}::tid`.execute(trx);
    if (column.change !== undefined) {
      await announceChange(trx, { kind: column.change, key: tenantId });
    }
    resealed += 1;
  }
  return { resealed, stuck };
}

function openOrNothing(reseal: () => Buffer): Buffer | undefined {
  try {
    return reseal();
  } catch (error) {
    if (error instanceof CannotOpen) {
      return undefined;
    }
    throw error;
  }
}
