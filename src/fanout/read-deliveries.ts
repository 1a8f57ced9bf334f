import { type Selectable, sql } from "kysely";
import { NotFound } from "../errors.ts";
import type { Database } from "../store/database.ts";
import type { AttemptTable } from "../store/schema/fanout.ts";

export type DeliveryRow = {
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

/**
 * Live and finished deliveries in the order of their events. A delivery keeps its place when it
 * finishes, so that a list stays complete while it is paged through.
 */
export async function readDeliveries(
  db: Database,
  tenantId: string,
  options: DeliveryFilter & { limit: number; after: string[] | undefined },
): Promise<DeliveryRow[]> {
  const { state = null } = options;
  const { limit, after = [null, null, null], ...filter } = options;
  const [afterXid, afterSeq, afterEndpoint] = after;
  const matches = sql`
    d.tenant_id = ${tenantId} and d.event_xid < pg_snapshot_xmin(pg_current_snapshot())
    and (${afterXid}::xid8 is null
      or (d.event_xid, d.event_seq, d.endpoint_id)
        > (${afterXid}::xid8, ${afterSeq}::bigint, ${afterEndpoint}::text))
    and (${filter.id ?? null}::text is null or d.id = ${filter.id ?? null})
    and (${filter.endpointId ?? null}::text is null or d.endpoint_id = ${filter.endpointId ?? null})
    and (${filter.eventId ?? null}::text is null or d.event_id = ${filter.eventId ?? null})
    and (${filter.from ?? null}::timestamptz is null or d.created_at >= ${filter.from ?? null})
    and (${filter.to ?? null}::timestamptz is null or d.created_at < ${filter.to ?? null})
    and (${filter.among}::text[] is null or e.phone_number_id = any (${filter.among}::text[]))`;
  const event = sql`join event e on e.tenant_id = d.tenant_id and e.id = d.event_id
    and e.received_at = d.event_received_at`;
  // A delivery is held if its endpoint is not active; no row of it says so.
  const liveState = sql`case when d.state = 'pending' and w.state <> 'active' then 'held' else d.state end`;
  const columns = sql`d.id, d.event_id, e.type as event_type, d.endpoint_id, d.attempt_count, d.created_at, d.replayed_at, d.event_xid, d.event_seq`;
  const order = sql`order by event_xid, event_seq, endpoint_id limit ${limit + 1}`;
  const { rows } = await sql<DeliveryRow>`
    select * from (
      (select ${columns}, ${liveState} as state,
          case when d.state = 'pending' and w.state = 'active'
            then nullif(d.next_attempt_at, 'infinity') end as next_attempt_at,
          null::timestamptz as finished_at, null::text as reason
        from delivery d left join webhook_endpoint w on w.id = d.endpoint_id ${event}
        where ${matches} and (${state}::text is null or ${liveState} = ${state}) ${order})
      union all
      (select ${columns}, d.state, null::timestamptz, d.finished_at, d.reason
        from delivery_finished d ${event}
        where ${matches} and (${state}::text is null or d.state = ${state}) ${order})
    ) both_of_them ${order}`.execute(db);
  return rows;
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
