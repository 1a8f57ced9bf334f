import { sql } from "kysely";
import type { Database } from "../store/database.ts";
import { MOVED_COLUMNS } from "./endpoint-state.ts";

const BATCH_MAX = 2000;

/**
 * What waits longer than anything is kept ends as `exhausted`, whatever its endpoint's state: its event
 * is about to go. Goes through the live ones by their key in bounded statements. What is being attempted
 * is left to the next time.
 */
export async function exhaustOldDeliveries(
  db: Database,
  options: { before: Date; batchMax?: number },
): Promise<number> {
  const { before, batchMax = BATCH_MAX } = options;
  let after = ["", "", "0", "0"];
  for (let moved = 0; ;) {
    const [tenantId, endpointId, xid, seq] = after;
    const { rows } = await sql<{ last: string[] | null; moved: string }>`
      with looked_at as materialized (
        select tenant_id, endpoint_id, event_xid, event_seq, event_received_at from delivery
        where (tenant_id, endpoint_id, event_xid, event_seq)
          > (${tenantId}::text, ${endpointId}::text, ${xid}::xid8, ${seq}::bigint)
        order by tenant_id, endpoint_id, event_xid, event_seq limit ${batchMax}
      ), ended as (
        delete from delivery d using looked_at o
        where o.event_received_at < ${before} and d.state = 'pending'
          and d.tenant_id = o.tenant_id and d.endpoint_id = o.endpoint_id
          and d.event_xid = o.event_xid and d.event_seq = o.event_seq
        returning d.*
      ), moved as (
        insert into delivery_finished (${MOVED_COLUMNS}, state, reason)
        select ${MOVED_COLUMNS}, 'exhausted', 'retention' from ended
      )
      select (select count(*) from ended) as moved, (
        select array[tenant_id, endpoint_id, event_xid::text, event_seq::text] from looked_at
        order by tenant_id desc, endpoint_id desc, event_xid desc, event_seq desc limit 1
      ) as last`.execute(db);
    moved += Number(rows[0]?.moved ?? 0);
    const last = rows[0]?.last ?? null;
    if (last === null) {
      return moved;
    }
    after = last;
  }
}

/** Whether the event of a live delivery came in that span: its body is still to be sent. */
export async function hasLiveDeliveries(
  db: Database,
  span: { from: Date; to: Date },
): Promise<boolean> {
  const row = await db
    .selectFrom("delivery")
    .select("id")
    .where("event_received_at", ">=", span.from)
    .where("event_received_at", "<", span.to)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
