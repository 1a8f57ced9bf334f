import { type Selectable, sql } from "kysely";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { prepared } from "../store/pooled-client.ts";
import type { EventTable } from "../store/schema/events.ts";
import { xidFrom } from "./xid-marks.ts";

export type EventRow = Selectable<EventTable>;

/**
 * What may be read without missing anything: rows of transactions before which none is still open.
 * Ids and `seq` are taken before the commit, so that in any other order a row can appear behind a
 * reader. Every list, stream and follower of events orders by (`xid`, `seq`) under this condition.
 */
export const SETTLED_XID = sql<boolean>`xid < pg_snapshot_xmin(pg_current_snapshot())`;

/** The place after which a reader goes on: [xid, seq]. */
export type EventCursor = [xid: string, seq: string];

export type EventFilter = {
  type?: string | undefined;
  phoneNumberId?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** A token's limit to some numbers; `null` means all of the tenant. */
  among: readonly string[] | null;
};

export async function readEvents(
  db: Database,
  tenantId: string,
  options: EventFilter & { limit: number; after: string[] | undefined },
): Promise<EventRow[]> {
  const { after, type, phoneNumberId, from, to, among } = options;
  let query = db
    .selectFrom("event")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where(SETTLED_XID)
    .orderBy("xid")
    .orderBy("seq")
    .limit(options.limit + 1);
  if (after !== undefined) {
    query = query.where(sql<boolean>`(xid, seq) > (${after[0]}::xid8, ${after[1]}::bigint)`);
  }
  if (type !== undefined) {
    query = query.where("type", "like", toLikePattern(type));
  }
  if (phoneNumberId !== undefined) {
    query = query.where("phone_number_id", "=", phoneNumberId);
  }
  if (from !== undefined) {
    query = query.where("received_at", ">=", from).where(sql<boolean>`xid >= ${xidFrom(from)}`);
  }
  if (to !== undefined) {
    query = query.where("received_at", "<", to);
  }
  if (among !== null) {
    query = query.where("phone_number_id", "=", sql<string>`any (${[...among]}::text[])`);
  }
  return query.execute();
}

/** The same rule as the query's, for an event that was read for several readers. */
export function matchesFilter(row: EventRow, filter: EventFilter): boolean {
  const { type, phoneNumberId, from, to, among } = filter;
  return (
    (type === undefined || matchesType(row.type, type)) &&
    (phoneNumberId === undefined || row.phone_number_id === phoneNumberId) &&
    (from === undefined || row.received_at >= from) &&
    (to === undefined || row.received_at < to) &&
    (among === null || (row.phone_number_id !== null && among.includes(row.phone_number_id)))
  );
}

function matchesType(type: string, wanted: string): boolean {
  return wanted.endsWith("*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

// PostgreSQL's bigint.
const SEQ_MAX = "9223372036854775807";

/** The place after all that may be read now. */
export async function readSettledEnd(db: Database): Promise<EventCursor> {
  const { rows } = await sql<{ xid: string }>`
    select (pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text as xid`.execute(db);
  return [rows[0]?.xid ?? "0", SEQ_MAX];
}

export async function findEvent(
  db: Database,
  tenantId: string,
  eventId: string,
): Promise<EventRow | undefined> {
  return db
    .selectFrom("event")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("id", "=", eventId)
    .executeTakeFirst();
}

export type FollowedEventRow = Omit<EventRow, "identity" | "notification_id">;

/**
 * What comes after a cursor, of all tenants and of none. `more`: something is committed behind it
 * that may not be read yet, because a transaction that began before it is still open.
 */
export async function readEventsAsPartner(
  db: Database | DatabaseTransaction,
  options: { after: EventCursor; limit: number; bytesMax: number },
): Promise<{ rows: FollowedEventRow[]; more: boolean }> {
  const [xid, seq] = options.after;
  const { rows } = await sql<FollowedEventRow & { settled: boolean }>`
    ${prepared("follow_events")}
    select tenant_id, id, xid, seq, type, phone_number_id, waba_id, received_at, settled,
      case when settled then body end as body
    from (
      select *, sum(octet_length(body)) over (order by xid, seq rows unbounded preceding)
        - octet_length(body) as bytes_before
      from (
        select *, ${SETTLED_XID} as settled from event
        where (xid, seq) > (${xid}::xid8, ${seq}::bigint)
        order by xid, seq limit ${options.limit}
      ) following
    ) weighed
    where bytes_before < ${options.bytesMax}
    order by xid, seq`.execute(db);
  const settled = rows.filter((row) => row.settled);
  return { rows: settled, more: settled.length < rows.length };
}

/** `message.status.*` as SQL's `like`: only a trailing `*` is a wildcard. */
export function toLikePattern(eventType: string): string {
  const escaped = eventType.replaceAll(/[\\%_]/g, "\\$&");
  return escaped.endsWith("*") ? `${escaped.slice(0, -1)}%` : escaped;
}
