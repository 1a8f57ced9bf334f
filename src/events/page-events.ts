import { type RawBuilder, sql } from "kysely";
import type { Database } from "../store/database.ts";
import {
  type EventCursor,
  type EventFilter,
  type EventRow,
  readEvents,
  SETTLED_XID,
  toLikePattern,
} from "./read-events.ts";
import { xidFrom, xidUntil } from "./xid-marks.ts";

/** `next` is where to go on; `undefined` when there is nothing after it. */
export type EventPage = { rows: EventRow[]; next: EventCursor | undefined };

const WALKED_AT_ONCE = 2000;
// After that a page is given as it is, so that whoever asks for what is rare is answered in time.
const WALK_MS = 20;

type PageOptions = EventFilter & { limit: number; after: string[] | undefined };

/**
 * A page of a tenant's events. Types and numbers have no index (each would cost every event that comes):
 * what is asked for is picked out on a walk in the readers' order, which ends after a while. Its page
 * then has fewer rows than asked for, or none, and the cursor stands where the walk has come to.
 */
export async function readEventPage(
  db: Database,
  tenantId: string,
  options: PageOptions,
): Promise<EventPage> {
  const { limit, type, phoneNumberId, among } = options;
  if (type === undefined && phoneNumberId === undefined && among === null) {
    return cut(await readEvents(db, tenantId, options), limit);
  }
  const until = performance.now() + WALK_MS;
  const found: FoundEvent[] = [];
  let after = options.after;
  for (;;) {
    const wanted = limit + 1 - found.length;
    const walk = await walkOn(db, tenantId, { ...options, after, limit: wanted });
    found.push(...walk.found);
    after = walk.last;
    const ended = walk.last === undefined;
    if (found.length > limit || ended || performance.now() > until) {
      const page = cut(await fetchFound(db, tenantId, found), limit);
      return page.next !== undefined || ended ? page : { ...page, next: walk.last };
    }
  }
}

function cut(rows: EventRow[], limit: number): EventPage {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { rows: shown, next: more ? [last.xid, last.seq] : undefined };
}

type FoundEvent = { id: string; received_at: string };

/** The matching ones among the next; `last` is `undefined` where the walk has come to the end. */
async function walkOn(
  db: Database,
  tenantId: string,
  options: PageOptions,
): Promise<{ found: FoundEvent[]; last: EventCursor | undefined }> {
  const { limit, after, from, to } = options;
  const span = [
    sql<boolean>`tenant_id = ${tenantId} and ${SETTLED_XID}`,
    ...(after ? [sql<boolean>`(xid, seq) > (${after[0]}::xid8, ${after[1]}::bigint)`] : []),
    ...(from ? [sql<boolean>`received_at >= ${from} and xid >= ${xidFrom(from)}`] : []),
    ...(to ? [sql<boolean>`received_at < ${to} and xid <= ${xidUntil(to)}`] : []),
  ];
  const { rows } = await sql<{ found: FoundEvent[]; last: EventCursor | null }>`
    with walked as materialized (
      select id, received_at, xid, seq, type, phone_number_id from event
      where ${sql.join(span, sql` and `)}
      order by xid, seq limit ${WALKED_AT_ONCE}
    )
    select (
        select coalesce(json_agg(f order by f.xid, f.seq), '[]') from (
          select id, received_at, xid, seq from walked where ${matches(options)}
          order by xid, seq limit ${limit}) f
      ) as found, (
        select json_build_array(xid::text, seq::text) from walked
        order by xid, seq offset ${WALKED_AT_ONCE - 1}
      ) as last`.execute(db);
  return { found: rows[0]?.found ?? [], last: rows[0]?.last ?? undefined };
}

function matches({ type, phoneNumberId, among }: EventFilter): RawBuilder<boolean> {
  const conditions = [
    sql<boolean>`true`,
    ...(type === undefined ? [] : [sql<boolean>`type like ${toLikePattern(type)}`]),
    ...(phoneNumberId === undefined ? [] : [sql<boolean>`phone_number_id = ${phoneNumberId}`]),
    ...(among === null ? [] : [sql<boolean>`phone_number_id = any (${[...among]}::text[])`]),
  ];
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

/** Whole, in their order; the times say in which days' partitions they are. */
async function fetchFound(
  db: Database,
  tenantId: string,
  found: readonly FoundEvent[],
): Promise<EventRow[]> {
  if (found.length === 0) {
    return [];
  }
  const ids = found.map(({ id }) => id);
  const times = found.map(({ received_at }) => received_at);
  const { rows } = await sql<EventRow>`
    select * from event where tenant_id = ${tenantId} and id = any (${ids}::text[])
      and received_at >= (select min(at) from unnest(${times}::timestamptz[]) at)
      and received_at <= (select max(at) from unnest(${times}::timestamptz[]) at)
    order by xid, seq`.execute(db);
  return rows;
}
