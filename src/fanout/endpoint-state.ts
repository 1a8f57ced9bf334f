import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "../store/database.ts";

/** The endpoint takes nothing more; what was waiting for it is held, not lost. */
export async function disableEndpoint(
  db: Database,
  tenantId: string,
  endpointId: string,
): Promise<void> {
  await db
    .transaction()
    .execute((trx) => holdEndpoint(trx, tenantId, { endpointId, state: "disabled" }));
}

/** Nothing goes to it until it is active again. */
export async function holdEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  options: { endpointId: string; state: "disabled" | "paused" },
): Promise<void> {
  const { endpointId, state } = options;
  await trx
    .updateTable("webhook_endpoint")
    .set({ state })
    .where("tenant_id", "=", tenantId)
    .where("id", "=", endpointId)
    .execute();
  await trx
    .updateTable("delivery")
    .set({ state: "held", next_attempt_at: null })
    .where("tenant_id", "=", tenantId)
    .where("endpoint_id", "=", endpointId)
    .where("state", "=", "pending")
    .execute();
}

/** Whatever state it was in; what was held for it is due at once. */
export async function activateEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  endpointId: string,
): Promise<void> {
  await trx
    .updateTable("webhook_endpoint")
    .set({ state: "active" })
    .where("tenant_id", "=", tenantId)
    .where("id", "=", endpointId)
    .execute();
  await trx
    .updateTable("delivery")
    .set({ state: "pending", next_attempt_at: sql`now()` })
    .where("tenant_id", "=", tenantId)
    .where("endpoint_id", "=", endpointId)
    .where("state", "=", "held")
    .execute();
}

/**
 * A notification that was being written while its endpoint was disabled or deleted leaves deliveries
 * that nothing would ever look at again: they are held, or cancelled. Called once a minute.
 */
export async function settleStragglers(db: Database): Promise<void> {
  await sql`
    with cancelled as (
      delete from delivery d where not exists (
        select 1 from webhook_endpoint w where w.id = d.endpoint_id)
      returning tenant_id, event_xid, event_seq, endpoint_id, id, event_id, event_received_at,
        attempt_count, created_at)
    insert into delivery_finished (tenant_id, event_xid, event_seq, endpoint_id, id, event_id,
      event_received_at, attempt_count, created_at, state)
    select *, 'cancelled' from cancelled`.execute(db);
  await sql`
    update delivery d set state = 'held', next_attempt_at = null
    from webhook_endpoint w
    where w.id = d.endpoint_id and w.state <> 'active' and d.state = 'pending'`.execute(db);
}
