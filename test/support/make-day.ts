import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";

/** A day (`YYYY-MM-DD`, UTC) of a table that is partitioned by day, as if the gateway had run then. */
export async function makeDay(db: Database, parent: string, day: string): Promise<void> {
  const from = new Date(`${day}T00:00:00Z`);
  const to = new Date(from.getTime() + 86_400_000);
  const name = `${parent}_${day.replaceAll("-", "")}`;
  await sql`
    create table if not exists ${sql.table(name)} partition of ${sql.table(parent)}
    for values from (${sql.lit(from.toISOString())}) to (${sql.lit(to.toISOString())})`.execute(db);
}
