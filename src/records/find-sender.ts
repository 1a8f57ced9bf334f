import { sql } from "kysely";
import type { Database } from "../store/database.ts";

/**
 * Which of these tenants sent this message from the number: by the message log, or, where that has no
 * row of it, by an earlier status that came to the tenant.
 */
export async function findSenderAsPartner(
  db: Database,
  {
    tenantIds,
    phoneNumberId,
    wamid,
  }: {
    tenantIds: readonly string[];
    phoneNumberId: string;
    wamid: string;
  },
): Promise<string | undefined> {
  const { rows } = await sql<{ tenant_id: string }>`
    select tenant_id from message
    where tenant_id = any (${tenantIds}::text[]) and wamid = ${wamid}
      and phone_number_id = ${phoneNumberId}
    union all
    select tenant_id from message_status
    where tenant_id = any (${tenantIds}::text[]) and wamid = ${wamid}
      and phone_number_id = ${phoneNumberId}
    limit 1`.execute(db);
  return rows[0]?.tenant_id;
}
