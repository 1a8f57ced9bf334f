import { sql } from "kysely";
import { type EventCursor, SETTLED_XID } from "../../events/read-events.ts";
import { xidFrom } from "../../events/xid-marks.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";

export const HOUR_MS = 3_600_000;

/** Of one endpoint and number: what came, and in which state what was owed of it is. */
export type LedgerCount = {
  tenant_id: string;
  endpoint_id: string;
  phone_number_id: string;
  received: number;
  filtered: number;
  delivered: number;
  exhausted: number;
  cancelled: number;
  pending: number;
  delivering: number;
  missing: number;
};

/** How many events notifications brought of a number. */
export type TrafficCount = { tenant_id: string; phone_number_id: string; events: number };

/** A delivery that was owed when its event came, and is in no state now. */
export type MissingDelivery = Pick<LedgerCount, "tenant_id" | "endpoint_id" | "phone_number_id"> & {
  event_id: string;
};

export type Counted = {
  counts: LedgerCount[];
  missing: MissingDelivery[];
  traffic: TrafficCount[];
  /** The last event that was counted; `undefined` when there is none after the cursor. */
  last: EventCursor | undefined;
  eventCount: number;
};

const MISSING_NAMED_MAX = 1000;

/**
 * Counts the next events of an hour by their rows, in the readers' order. An endpoint is owed what the
 * event says, as it was decided when it came; any other event since the endpoint was made counts as
 * filtered. One snapshot sees an event's deliveries in both of their tables, so none is missed or
 * counted twice while it finishes.
 */
export async function countEvents(
  db: Database | DatabaseTransaction,
  options: {
    hour: Date;
    after: EventCursor;
    eventsMax: number;
    tenantId?: string;
  },
): Promise<Counted> {
  const { hour, after, eventsMax, tenantId = null } = options;
  const end = new Date(hour.getTime() + HOUR_MS);
  // The partner's endpoints too are owed what the event says; most events without an owner have none.
  const whose = tenantId === null ? sql`true` : sql`e.tenant_id = ${tenantId}`;
  const { rows } = await sql<{
    counts: LedgerCount[];
    missing: MissingDelivery[];
    traffic: TrafficCount[];
    last: EventCursor | null;
    event_count: number;
  }>`
    with slice as materialized (
      select e.tenant_id, e.id, e.xid, e.seq, coalesce(e.phone_number_id, '') as phone_number_id,
        e.owed, e.received_at, e.notification_id
      from event e
      where ${whose} and e.received_at >= ${hour} and e.received_at < ${end}
        and (e.xid, e.seq) > (${after[0]}::xid8, ${after[1]}::bigint)
        and e.xid >= ${xidFrom(hour)} and ${SETTLED_XID}
      order by e.xid, e.seq limit ${eventsMax}
    ), endpoint as materialized (
      select tenant_id, id, serial, created_at, null::timestamptz as deleted_at
      from webhook_endpoint where tenant_id in (select tenant_id from slice)
      union all
      select tenant_id, endpoint_id, serial, created_at, deleted_at
      from deleted_endpoint where tenant_id in (select tenant_id from slice)
    ), finished as materialized (
      select s.tenant_id, s.xid, s.seq, r.endpoint_id, r.state
      from slice s, lateral (
        -- By its place and no other way, however many rows there are: hence the states, which are in
        -- the index, and the offset.
        select endpoint_id, state from delivery_finished
        where tenant_id = s.tenant_id and state in ('delivered', 'exhausted', 'cancelled')
          and event_xid = s.xid and event_seq = s.seq and finished_at >= ${hour} offset 0
      ) r
    ), told as materialized (
      select s.tenant_id, s.xid, s.seq, n.id as endpoint_id, s.phone_number_id, s.id as event_id,
        f.state, coalesce(n.serial = any (s.owed), false) as owed
      from slice s
      join endpoint n on n.tenant_id = s.tenant_id and (n.serial = any (s.owed)
        or n.created_at <= s.received_at
          and (n.deleted_at is null or n.deleted_at > s.received_at))
      left join finished f on f.tenant_id = s.tenant_id and f.xid = s.xid and f.seq = s.seq
        and f.endpoint_id = n.id
    ), judged as materialized (
      select t.tenant_id, t.endpoint_id, t.phone_number_id, t.event_id, t.owed,
        coalesce(t.state, case when t.owed then (
          select state from delivery
          where tenant_id = t.tenant_id and endpoint_id = t.endpoint_id
            and event_xid = t.xid and event_seq = t.seq offset 0
        ) end) as state
      from told t
    ), counted as (
      select tenant_id, endpoint_id, phone_number_id, count(*)::int as received,
        count(*) filter (where state is null and not owed)::int as filtered,
        count(*) filter (where state = 'delivered')::int as delivered,
        count(*) filter (where state = 'exhausted')::int as exhausted,
        count(*) filter (where state = 'cancelled')::int as cancelled,
        count(*) filter (where state = 'pending')::int as pending,
        count(*) filter (where state = 'delivering')::int as delivering,
        count(*) filter (where state is null and owed)::int as missing
      from judged group by tenant_id, endpoint_id, phone_number_id
    ), missed as (
      select tenant_id, endpoint_id, phone_number_id, event_id from judged
      where state is null and owed limit ${MISSING_NAMED_MAX}
    ), traffic as (
      -- What is our own was brought by no notification.
      select tenant_id, phone_number_id, count(*)::int as events from slice
      where phone_number_id <> '' and notification_id <> ''
      group by tenant_id, phone_number_id
    )
    select (select coalesce(json_agg(counted), '[]') from counted) as counts,
      (select coalesce(json_agg(missed), '[]') from missed) as missing,
      (select coalesce(json_agg(traffic), '[]') from traffic) as traffic,
      (select json_build_array(xid::text, seq::text) from slice
        order by xid desc, seq desc limit 1) as last,
      (select count(*)::int from slice) as event_count`.execute(db);
  const [found] = rows;
  return {
    counts: found?.counts ?? [],
    missing: found?.missing ?? [],
    traffic: found?.traffic ?? [],
    last: found?.last ?? undefined,
    eventCount: found?.event_count ?? 0,
  };
}
