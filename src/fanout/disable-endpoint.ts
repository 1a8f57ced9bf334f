import type { Database } from "../store/database.ts";

/** The endpoint takes nothing more; what was waiting for it is held, not lost. */
export async function disableEndpoint(
  db: Database,
  tenantId: string,
  endpointId: string,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable("webhook_endpoint")
      .set({ state: "disabled" })
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
  });
}
