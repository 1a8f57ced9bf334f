import { sql } from "kysely";
import { alone } from "./alone.ts";
import type { Database } from "./database.ts";

/** One day of one table. */
export type Partition = { parent: string; name: string; from: Date; to: Date };

// Detaching waits for whoever still reads the table; meanwhile it holds nobody up.
const PATIENCE_MS = 60_000;

/**
 * Drops the days that ended before `before`, of every table that is partitioned by day, but for those
 * that something still needs. A day is detached concurrently, which blocks no writer, and dropped when
 * it is a table by itself; a run that was cut between the two, or in the first, is ended by the next.
 * One process at a time.
 */
export async function dropOldPartitions(
  db: Database,
  options: { before: Date; isNeeded: (partition: Partition) => Promise<boolean> },
): Promise<string[]> {
  const { before, isNeeded } = options;
  const dropped = await alone(db, "drop_old_partitions", async (connection) => {
    try {
      await sql`set statement_timeout = ${sql.lit(PATIENCE_MS)}`.execute(connection);
      const names: string[] = [];
      for (const partition of await listPartitions(connection)) {
        if (partition.to <= before && !(await isNeeded(partition))) {
          await detach(connection, partition);
          await sql`drop table ${sql.table(partition.name)}`.execute(connection);
          names.push(partition.name);
        }
      }
      return names;
    } finally {
      await sql`reset statement_timeout`.execute(connection);
    }
  });
  return dropped ?? [];
}

/** `pending` is one whose detaching was cut, `none` one that was not dropped afterwards. */
type Found = Partition & { attachment: "whole" | "pending" | "none" };

/** The attached ones, and what a run that was cut has left. */
async function listPartitions(db: Database): Promise<Found[]> {
  const { rows } = await sql<{
    parent: string;
    name: string;
    day: string;
    attachment: Found["attachment"];
  }>`
    select p.relname as parent, c.relname as name, right(c.relname, 8) as day,
      case when i.inhrelid is null then 'none' when i.inhdetachpending then 'pending'
        else 'whole' end as attachment
    from pg_partitioned_table t join pg_class p on p.oid = t.partrelid
    join pg_class c on c.relkind = 'r' and c.relnamespace = p.relnamespace
      and c.relname ~ ('^' || p.relname || '_[0-9]{8}$')
    left join pg_inherits i on i.inhrelid = c.oid
    where p.relnamespace = current_schema()::regnamespace
    order by day, parent`.execute(db);
  return rows.map(({ day, ...row }) => {
    const from = new Date(day.replace(/^(....)(..)(..)$/, "$1-$2-$3T00:00:00Z"));
    return { ...row, from, to: new Date(from.getTime() + 86_400_000) };
  });
}

async function detach(db: Database, { parent, name, attachment }: Found): Promise<void> {
  if (attachment !== "none") {
    const how = sql.raw(attachment === "whole" ? "concurrently" : "finalize");
    await sql`
      alter table ${sql.table(parent)} detach partition ${sql.table(name)} ${how}`.execute(db);
  }
}
