import { sql } from "kysely";
import type { DatabaseTransaction } from "../store/database.ts";
import { activateEndpoint } from "./endpoint-state.ts";

/**
 * Stops a suspended tenant's endpoints as a pause does: what waits for them and what still comes is
 * held, and no horizon runs. What each was is remembered. The tenant must be locked.
 */
export async function suspendEndpoints(trx: DatabaseTransaction, tenantId: string): Promise<void> {
  await sql`
    update webhook_endpoint set suspended_from = state,
      state = case state when 'disabled' then state else 'paused' end,
      stopped_at = coalesce(stopped_at, now()), probe_at = null
    where tenant_id = ${tenantId} and suspended_from is null`.execute(trx);
}

/**
 * Afterwards: one that its tenant had paused, or that was disabled, is so again; any other is active,
 * and what was held for it comes gently. The tenant must be locked.
 */
export async function releaseEndpoints(trx: DatabaseTransaction, tenantId: string): Promise<void> {
  const { rows } = await sql<{ id: string; suspended_from: string }>`
    update webhook_endpoint w set suspended_from = null
    from (
      select id, suspended_from from webhook_endpoint
      where tenant_id = ${tenantId} and suspended_from is not null for no key update
    ) was
    where w.id = was.id returning w.id, was.suspended_from`.execute(trx);
  for (const { id, suspended_from } of rows) {
    if (suspended_from === "active" || suspended_from === "held") {
      await activateEndpoint(trx, tenantId, id);
    }
  }
}
