import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";

/** Every row of every table as text, and once more with its bytes decoded: what a dump would tell. */
export async function dumpDatabase(db: Database): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind in ('r', 'p')
    and relnamespace = 'public'::regnamespace`.execute(db);
  const tables = await Promise.all(
    rows.map(async ({ name }) => {
      const found = await sql<{ row: string }>`
        select t::text as row from ${sql.table(name)} t`.execute(db);
      return found.rows.map(({ row }) => `${name} ${row}`).join("\n");
    }),
  );
  const text = tables.join("\n");
  // PostgreSQL writes bytes as \x and hex digits.
  const decoded = text.replaceAll(/\\x([0-9a-f]+)/g, (_all, hex: string) =>
    Buffer.from(hex, "hex").toString("latin1"),
  );
  return `${text}\n${decoded}`;
}
