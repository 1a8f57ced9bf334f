import { type RawBuilder, sql } from "kysely";
import type { Database } from "../store/database.ts";

/**
 * Notes which transaction is next, once a minute over all processes: so readers, who go by xid, can
 * begin at a time. The clock is read after the snapshot: whatever begins later than that has no
 * smaller xid.
 */
export async function markXid(db: Database): Promise<void> {
  await sql`
    insert into xid_mark (at, xid)
    select clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())
    where not exists (select 1 from xid_mark where at > now() - interval '50 seconds')
    on conflict do nothing`.execute(db);
}

/** No row of a transaction that began at `from` or later has a smaller xid. */
export function xidFrom(from: Date | null): RawBuilder<string> {
  return sql<string>`coalesce(
    (select xid from xid_mark where at <= ${from}::timestamptz order by at desc limit 1), '0'::xid8)`;
}

// No transaction that writes an event or a delivery waits for longer before its first row.
const LATE_SECONDS = 60;

/** No row of a transaction that began before `to` has a larger xid. */
export function xidUntil(to: Date): RawBuilder<string> {
  return sql<string>`coalesce((
    select xid from xid_mark where at >= ${to}::timestamptz + make_interval(secs => ${LATE_SECONDS})
    order by at limit 1), '9223372036854775807'::xid8)`;
}

/** The last one before then stays: who begins at that time begins there. */
export async function pruneXidMarks(db: Database, options: { before: Date }): Promise<void> {
  await sql`
    delete from xid_mark
    where at < (select max(at) from xid_mark where at <= ${options.before})`.execute(db);
}
