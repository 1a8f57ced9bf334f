import { type RawBuilder, type Selectable, sql } from "kysely";
import { NotFound } from "../errors.ts";
import { NO_TENANT } from "../events/no-tenant.ts";
import { findEvent } from "../events/read-events.ts";
import { xidFrom, xidUntil } from "../events/xid-marks.ts";
import type { Database } from "../store/database.ts";
import { hasIdByBeginning, hasLiveId } from "./delivery-id.ts";
import type { AttemptTable } from "../store/schema/fanout.ts";

export type DeliveryRow = {
  tenant_id: string;
  id: string;
  event_id: string;
  event_type: string;
  endpoint_id: string;
  state: "pending" | "delivering" | "held" | "delivered" | "exhausted" | "cancelled";
  attempt_count: number;
  next_attempt_at: Date | null;
  created_at: Date;
  finished_at: Date | null;
  replayed_at: Date | null;
  reason: "retention" | null;
  event_xid: string;
  event_seq: string;
};

export type AttemptRow = Selectable<AttemptTable>;

export type DeliveryFilter = {
  id?: string | undefined;
  endpointId?: string | undefined;
  eventId?: string | undefined;
  state?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** A token's limit to some numbers; `null` means all of the tenant. */
  among: readonly string[] | null;
};

type Page = DeliveryFilter & {
  limit: number;
  after: string[] | undefined;
  /** The place of the event that is filtered by. */
  event?: { xid: string; seq: string } | undefined;
};

const FINISHED_STATES = ["delivered", "exhausted", "cancelled"];

/**
 * Live and finished deliveries in the order of their events. A delivery keeps its place when it
 * finishes, so that a list stays complete while it is paged through. Whatever is filtered by has an
 * index in that order, a branch for each endpoint or state: a page costs no more for a long history.
 */
export async function readDeliveries(
  db: Database,
  tenantId: string,
  options: DeliveryFilter & { limit: number; after: string[] | undefined },
): Promise<DeliveryRow[]> {
  const { eventId } = options;
  const event = eventId === undefined ? undefined : await findEvent(db, tenantId, eventId);
  if (eventId !== undefined && event === undefined) {
    return [];
  }
  const page: Page = { ...options, event };
  return readPage(db, pageOf(sql`${tenantId}`, page), page);
}

/** Likewise of these tenants, or of all and the partner: a page of each one's, of those the first. */
export async function readDeliveriesAsPartner(
  db: Database,
  options: Omit<DeliveryFilter, "among" | "eventId"> & {
    /** `null` means all. */
    tenantIds: readonly string[] | null;
    limit: number;
    after: string[] | undefined;
  },
): Promise<DeliveryRow[]> {
  const { tenantIds, ...filter } = options;
  const page: Page = { ...filter, among: null };
  const whose =
    tenantIds === null
      ? sql`select id from tenant union all select ${NO_TENANT}`
      : sql`select unnest(${[...tenantIds]}::text[]) as id`;
  const ofEach = sql`
    select d.* from (${whose}) t, lateral (${pageOf(sql`t.id`, page)}) d`;
  return readPage(db, sql`select * from (${ofEach}) of_each ${orderOf(page)}`, page);
}

const orderOf = ({ limit }: Page): RawBuilder<unknown> =>
  sql`order by event_xid, event_seq, endpoint_id limit ${limit + 1}`;

function pageOf(tenantId: RawBuilder<unknown>, page: Page): RawBuilder<unknown> {
  const { state } = page;
  const branches = [
    ...(state === undefined || state in LIVE ? [liveBranch(tenantId, page)] : []),
    ...finishedBranches(tenantId, page),
  ].map((branch) => sql`(${branch} ${orderOf(page)})`);
  return sql`select * from (${sql.join(branches, sql` union all `)}) all_of_them ${orderOf(page)}`;
}

/**
 * Events are looked up when the page is known: to plan a join of two tables with a partition for each
 * day took longer than all the rest. One that is past its retention has left its deliveries.
 */
async function readPage(
  db: Database,
  page: RawBuilder<unknown>,
  { limit }: Page,
): Promise<DeliveryRow[]> {
  const { rows } = await sql<DeliveryRow>`
    select page.*, coalesce((
        select type from event e where e.tenant_id = page.tenant_id and e.id = page.event_id
          and e.received_at = page.event_received_at
      ), 'unknown.expired') as event_type
    from (${page}) page
    order by event_xid, event_seq, endpoint_id limit ${limit + 1}`.execute(db);
  return rows;
}

const COLUMNS = sql`d.tenant_id, d.id, d.event_id, d.event_received_at, d.endpoint_id, d.attempt_count,
  d.created_at, d.replayed_at, d.event_xid, d.event_seq`;

/** A delivery is held if its endpoint is not active; no row of it says so. */
const LIVE_STATE = sql`
  case when d.state = 'pending' and w.state <> 'active' then 'held' else d.state end`;

/** Which endpoints can have live deliveries in a state, and which rows of them are. */
const LIVE = {
  pending: { endpoints: sql`w.state = 'active'`, rows: sql`d.state = 'pending'` },
  held: { endpoints: sql`w.state <> 'active'`, rows: sql`d.state = 'pending'` },
  delivering: { endpoints: sql`true`, rows: sql`true` },
  any: { endpoints: sql`true`, rows: sql`true` },
};

/** Of each endpoint that can have such, a page: another one's backlog is not gone through. */
function liveBranch(tenantId: RawBuilder<unknown>, options: Page): RawBuilder<unknown> {
  const { state = "any", endpointId, limit } = options;
  const { endpoints, rows } = LIVE[state as keyof typeof LIVE];
  // What is being attempted is little, and has an index of its own.
  const ofEndpoint =
    state === "delivering"
      ? sql`(select * from delivery where endpoint_id = w.id and state = 'delivering' offset 0)`
      : sql`delivery`;
  return sql`
    select d.* from webhook_endpoint w, lateral (
      select ${COLUMNS}, ${LIVE_STATE} as state,
        case when d.state = 'pending' and w.state = 'active'
          then nullif(d.next_attempt_at, 'infinity') end as next_attempt_at,
        null::timestamptz as finished_at, null::text as reason
      from ${ofEndpoint} d
      where d.endpoint_id = w.id and ${matches(tenantId, { ...options, endpointId: undefined }, hasLiveId)}
        and ${rows}
      order by d.event_xid, d.event_seq limit ${limit + 1}
    ) d
    where w.tenant_id = ${tenantId} and ${endpoints}
      and (${endpointId ?? null}::text is null or w.id = ${endpointId ?? null})`;
}

function finishedBranches(tenantId: RawBuilder<unknown>, options: Page): RawBuilder<unknown>[] {
  const { state, from } = options;
  return FINISHED_STATES.filter((each) => state === undefined || each === state).map(
    (each) => sql`
      select ${COLUMNS}, d.state, null::timestamptz as next_attempt_at, d.finished_at, d.reason
      from delivery_finished d
      where ${matches(tenantId, options, hasFinishedId)} and d.state = ${each}
        and (${from ?? null}::timestamptz is null or d.finished_at >= ${from ?? null})`,
  );
}

const hasFinishedId = (ids: readonly string[]): RawBuilder<boolean> => hasIdByBeginning("d", ids);

/** What every branch filters by; a span of time is a span of the order too. */
function matches(
  tenantId: RawBuilder<unknown>,
  options: Page,
  hasId: (ids: readonly string[]) => RawBuilder<boolean>,
): RawBuilder<boolean> {
  const { id, endpointId, event, from, to, among, after } = options;
  const conditions = [
    sql<boolean>`d.tenant_id = ${tenantId}
      and d.event_xid < pg_snapshot_xmin(pg_current_snapshot())`,
  ];
  if (after !== undefined) {
    conditions.push(sql<boolean>`(d.event_xid, d.event_seq, d.endpoint_id)
      > (${after[0]}::xid8, ${after[1]}::bigint, ${after[2]}::text)`);
  }
  if (id !== undefined) {
    conditions.push(hasId([id]));
  }
  if (endpointId !== undefined) {
    conditions.push(sql<boolean>`d.endpoint_id = ${endpointId}`);
  }
  if (event !== undefined) {
    conditions.push(sql<boolean>`d.event_xid = ${event.xid}::xid8 and d.event_seq = ${event.seq}`);
  }
  if (from !== undefined) {
    conditions.push(sql<boolean>`d.created_at >= ${from} and d.event_xid >= ${xidFrom(from)}`);
  }
  if (to !== undefined) {
    conditions.push(sql<boolean>`d.created_at < ${to} and d.event_xid <= ${xidUntil(to)}`);
  }
  if (among !== null) {
    conditions.push(sql<boolean>`exists (
      select 1 from event e where e.tenant_id = d.tenant_id and e.id = d.event_id
        and e.received_at = d.event_received_at
        and e.phone_number_id = any (${[...among]}::text[]))`);
  }
  return sql<boolean>`(${sql.join(conditions, sql` and `)})`;
}

/** The delivery and its attempts, the first one first. @throws {NotFound} */
export async function getDelivery(
  db: Database,
  tenantId: string,
  options: { deliveryId: string; among: readonly string[] | null },
): Promise<{ delivery: DeliveryRow; attempts: AttemptRow[] }> {
  const { deliveryId, among } = options;
  const found = await readDeliveries(db, tenantId, {
    id: deliveryId,
    among,
    limit: 1,
    after: undefined,
  });
  const delivery = found.at(-1);
  if (delivery === undefined) {
    throw new NotFound();
  }
  const attempts = await db
    .selectFrom("attempt")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("delivery_id", "=", deliveryId)
    .orderBy("started_at")
    .execute();
  return { delivery, attempts };
}
