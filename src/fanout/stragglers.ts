import { sql } from "kysely";
import type { Database } from "../store/database.ts";
import { MOVED_COLUMNS } from "./endpoint-state.ts";
import { WAITED_FOR } from "./waited-for.ts";

/**
 * A notification that was being written while its endpoint was deleted leaves deliveries that nobody
 * would ever look at again: they are cancelled. Called once a minute, beside millions of live ones, so
 * it goes from endpoint to endpoint by the key and not from delivery to delivery.
 */
export async function cancelStragglers(db: Database): Promise<void> {
  await sql`
    with recursive ${WAITED_FOR}, gone (of_tenant, of_endpoint) as (
      select tenant_id, endpoint_id from waited_for w
      where not exists (select from webhook_endpoint e where e.id = w.endpoint_id)
    ), cancelled as (
      delete from delivery using gone where tenant_id = of_tenant and endpoint_id = of_endpoint
      returning ${MOVED_COLUMNS})
    insert into delivery_finished (${MOVED_COLUMNS}, state)
    select *, 'cancelled' from cancelled`.execute(db);
}

/**
 * What was put off behind a delivery of its conversation that went without ending, by its age, is
 * due. Called once an hour, when old ones have gone.
 */
export async function releaseStragglers(db: Database): Promise<void> {
  await sql`
    update delivery d set next_attempt_at = now()
    from (
      select distinct on (endpoint_id, conversation)
        tenant_id, event_xid, event_seq, endpoint_id, next_attempt_at
      from delivery where conversation is not null
      order by endpoint_id, conversation, event_xid, event_seq
    ) first
    where first.next_attempt_at = 'infinity' and d.tenant_id = first.tenant_id
      and d.event_xid = first.event_xid and d.event_seq = first.event_seq
      and d.endpoint_id = first.endpoint_id and d.state = 'pending'`.execute(db);
}
