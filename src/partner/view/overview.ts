import { type RawBuilder, sql } from "kysely";
import type { Schemas } from "../../http/contract-types.ts";
import { xidFrom } from "../../events/xid-marks.ts";
import type { Database } from "../../store/database.ts";

/** Further ones are not counted: a number of this size says the same, and a page must not wait for it. */
const COUNTED_MAX = 100_000;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Row = {
  tenants: Record<string, number>;
  numbers: Record<string, number>;
  stages: Record<string, number>;
  endpoints: Record<string, number>;
  pending: number;
  held: number;
  delivering: number;
  oldest_pending_at: Date | null;
  events_last_hour: number;
  events_last_day: number;
  missing: number;
};

/**
 * How everything stands, at one moment. Tables that grow with traffic are not gone through: deliveries
 * are counted up to a bound, the oldest is asked of each endpoint's index, events are told apart by
 * their running number (where a write was rolled back it skips some), and what is missing is as the
 * ledger last counted it.
 */
export async function readOverview(db: Database, now: Date): Promise<Schemas["Overview"]> {
  const { rows } = await sql<Row>`
    select ${countBy("tenant", "state")} as tenants,
      ${countBy("phone_number", "state")} as numbers,
      ${countBy("phone_number", "onboarding_stage")} as stages,
      ${countBy("webhook_endpoint", "state")} as endpoints,
      ${waiting("w.state = 'active'")} as pending,
      ${waiting("w.state <> 'active'")} as held,
      (select count(*)::int from delivery where state = 'delivering') as delivering,
      (select min(d.created_at) from webhook_endpoint w, lateral (
        select created_at from delivery
        where tenant_id = w.tenant_id and endpoint_id = w.id and state = 'pending'
        order by event_xid, event_seq limit 1) d where w.state = 'active') as oldest_pending_at,
      ${eventsSince(new Date(now.getTime() - HOUR_MS))} as events_last_hour,
      ${eventsSince(new Date(now.getTime() - DAY_MS))} as events_last_day,
      (select coalesce(sum(missing), 0)::float8 from ledger_hour) as missing`.execute(db);
  const [found] = rows;
  if (found === undefined) {
    throw new Error("a query without a source gave no row");
  }
  return {
    at: now.toISOString(),
    tenants: found.tenants,
    numbers: { by_state: found.numbers, by_onboarding_stage: found.stages },
    endpoints: found.endpoints,
    deliveries: {
      pending: found.pending,
      held: found.held,
      delivering: found.delivering,
      counted_max: COUNTED_MAX,
      oldest_pending_at: found.oldest_pending_at?.toISOString() ?? null,
    },
    events: { last_hour: found.events_last_hour, last_day: found.events_last_day },
    ledger: { missing: found.missing },
  };
}

/** Of a table that is small. */
const countBy = (table: string, column: string): RawBuilder<unknown> => sql`(
  select coalesce(json_object_agg(word, count), '{}') from (
    select coalesce(${sql.ref(column)}, 'none') as word, count(*)::int as count
    from ${sql.table(table)} group by 1) counted)`;

const waiting = (endpoints: string): RawBuilder<unknown> => sql`(
  select count(*)::int from (
    select from webhook_endpoint w join delivery d on d.endpoint_id = w.id and d.state = 'pending'
    where ${sql.raw(endpoints)} limit ${COUNTED_MAX}) waiting)`;

const eventsSince = (at: Date): RawBuilder<unknown> => sql`coalesce((
  select (select seq from event order by xid desc, seq desc limit 1) - seq + 1 from (
    select seq from event where xid >= ${xidFrom(at)} and received_at >= ${at}
    order by xid, seq limit 1) since), 0)::float8`;
