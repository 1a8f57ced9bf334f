import { sql } from "kysely";
import type { Database } from "../store/database.ts";

const BLOCKS_AT_ONCE = 1000;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 1440;

/**
 * Forgets what was last seen more than seven days ago, in a part of the table: no index tells the
 * old ones, because each new one would pay for it. A part a minute, so that the whole is gone through once
 * a day, evenly.
 */
export async function pruneIdentities(
  db: Database,
  options: { now: Date; partsOfDay?: { from: number; to: number } },
): Promise<number> {
  const { now } = options;
  const minute = Math.floor(now.getTime() / MINUTE_MS) % MINUTES_A_DAY;
  const part = options.partsOfDay ?? { from: minute, to: minute + 1 };
  const blocks = await countBlocks(db);
  const blockAt = (minutes: number): number => Math.ceil((blocks * minutes) / MINUTES_A_DAY);
  const end = blockAt(part.to);
  let pruned = 0;
  for (let block = blockAt(part.from); block < end; block += BLOCKS_AT_ONCE) {
    const { numAffectedRows = 0n } = await sql`
      delete from event_identity
      where ctid >= ${`(${block},0)`}::tid
        and ctid < ${`(${Math.min(block + BLOCKS_AT_ONCE, end)},0)`}::tid
        and seen_at < ${now}::timestamptz - interval '7 days'`.execute(db);
    pruned += Number(numAffectedRows);
  }
  return pruned;
}

async function countBlocks(db: Database): Promise<number> {
  const { rows } = await sql<{ blocks: string }>`
    select pg_relation_size('event_identity') / current_setting('block_size')::int as blocks
  `.execute(db);
  return Number(rows[0]?.blocks ?? 0);
}
