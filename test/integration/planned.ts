import { sql } from "kysely";
import { Secret } from "../../src/secret.ts";
import { type Database, openDatabase, type OpenDatabase } from "../../src/store/database.ts";
import type { TestDatabase } from "../support/database.ts";

/** The one connection on which each statement's plan is made at its first use and kept. */
export function openPlanned({ url }: TestDatabase): OpenDatabase {
  return openDatabase({
    url: new Secret(url),
    planOnce: true,
    connectionsMax: 1,
    onIdleError: () => {},
  });
}

/** Rows and index entries read so far over that connection, of tables with this name or their partitions. */
export async function rowsRead(planned: Database, table: string): Promise<number> {
  await sql`select pg_stat_force_next_flush()`.execute(planned);
  await sql`select 1`.execute(planned);
  const { rows } = await sql<{ count: number }>`
    select (
      coalesce((select sum(idx_tup_read) from pg_stat_user_indexes
        where relname ~ ('^' || ${table} || '(_[0-9]+)?$')), 0)
      + coalesce((select sum(seq_tup_read) from pg_stat_user_tables
        where relname ~ ('^' || ${table} || '(_[0-9]+)?$')), 0))::int as count`.execute(planned);
  return rows[0]?.count ?? 0;
}
