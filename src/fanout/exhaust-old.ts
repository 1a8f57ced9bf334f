import { sql } from "kysely";
import { xidUntil } from "../events/xid-marks.ts";
import type { Database } from "../store/database.ts";
import { MOVED_COLUMNS } from "./endpoint-state.ts";
import { WAITED_FOR } from "./waited-for.ts";

const BATCH_MAX = 2000;

/**
 * What waits longer than anything is kept ends as `exhausted`, whatever its endpoint's state: its event
 * is about to go. What is being attempted is left to the next time. Goes from endpoint to endpoint and
 * no further in each than its old ones: beside millions that wait it reads those alone.
 */
export async function exhaustOldDeliveries(
  db: Database,
  options: { before: Date; batchMax?: number },
): Promise<number> {
  const { before, batchMax = BATCH_MAX } = options;
  for (let ended = 0; ;) {
    const { rows } = await sql<{ found: string; ended: string }>`
      with recursive ${WAITED_FOR}, old as materialized (
        select d.* from waited_for w cross join lateral (
          -- By the key: as "= 'pending'" its index could be taken, which holds all that waits.
          select ctid from delivery
          where tenant_id = w.tenant_id and endpoint_id = w.endpoint_id
            and event_xid <= ${xidUntil(before)}
            and event_received_at < ${before} and state <> 'delivering'
          order by event_xid, event_seq limit ${batchMax}
        ) d limit ${batchMax}
      ), ended as (
        delete from delivery d
        where ctid = any (array(select ctid from old)) and state = 'pending'
        returning d.*
      ), moved as (
        insert into delivery_finished (${MOVED_COLUMNS}, state, reason)
        select ${MOVED_COLUMNS}, 'exhausted', 'retention' from ended
      )
      select (select count(*) from old) as found, (select count(*) from ended) as ended`.execute(
      db,
    );
    ended += Number(rows[0]?.ended ?? 0);
    if (Number(rows[0]?.found ?? 0) < batchMax) {
      return ended;
    }
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
