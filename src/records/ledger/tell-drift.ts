import { createHash } from "node:crypto";
import { sql } from "kysely";
import { NO_TENANT } from "../../events/no-tenant.ts";
import { writeOwnEvent } from "../../events/write-notifications.ts";
import type { DatabaseTransaction } from "../../store/database.ts";
import type { MissingDelivery } from "./count-events.ts";

const TYPE = "alert.ledger_drift";

/**
 * Notes what is missing, and tells the partner of what was not noted before by an event without an
 * owner: in the transaction that counted it, so once.
 */
export async function tellDrift(
  trx: DatabaseTransaction,
  options: { hour: Date; missing: readonly MissingDelivery[] },
): Promise<MissingDelivery[]> {
  const { hour, missing } = options;
  if (missing.length === 0) {
    return [];
  }
  const { rows } = await sql<MissingDelivery>`
    insert into ledger_drift (tenant_id, hour, endpoint_id, phone_number_id, event_id)
    select tenant_id, ${hour}, endpoint_id, phone_number_id, event_id
    from json_to_recordset(${JSON.stringify(missing)}::json) as m (
      tenant_id text, endpoint_id text, phone_number_id text, event_id text)
    on conflict do nothing
    returning tenant_id, endpoint_id, phone_number_id, event_id`.execute(trx);
  if (rows.length > 0) {
    const value = { hour: hour.toISOString(), missing: rows };
    const envelope = {
      object: "waba_gateway",
      entry: [{ id: "ledger", changes: [{ field: TYPE, value }] }],
    };
    const body = Buffer.from(JSON.stringify(envelope));
    await writeOwnEvent(trx, {
      tenantId: NO_TENANT,
      type: TYPE,
      phoneNumberId: null,
      wabaId: null,
      identity: createHash("sha256").update(body).digest(),
      conversation: null,
      body,
    });
  }
  return rows;
}
