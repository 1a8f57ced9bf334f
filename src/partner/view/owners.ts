import { sql } from "kysely";
import { findOwnerOfEndpoint } from "../../fanout/owner-of-endpoint.ts";
import type { Database } from "../../store/database.ts";

type Wanted = {
  tenantId: string | undefined;
  endpointId?: string | undefined;
  phoneNumberId?: string | undefined;
};

/**
 * Whose rows a list is to be looked for in, so that one endpoint's or one number's page does not go
 * through everybody's; `null` means all. Of a number also whose it was before.
 */
export async function ownersToRead(db: Database, wanted: Wanted): Promise<string[] | null> {
  const { tenantId, endpointId, phoneNumberId } = wanted;
  if (tenantId !== undefined) {
    // The partner's own rows are found by their endpoint, never by an empty name.
    return tenantId === "" ? [] : [tenantId];
  }
  if (endpointId !== undefined) {
    const owner = await findOwnerOfEndpoint(db, endpointId);
    return owner === undefined ? [] : [owner];
  }
  if (phoneNumberId === undefined) {
    return null;
  }
  const { rows } = await sql<{ tenant_id: string }>`
    select tenant_id from phone_number where phone_number_id = ${phoneNumberId}
    union
    select m.tenant_id from number_move m join phone_number n on n.id = m.number_id
    where n.phone_number_id = ${phoneNumberId}
    union
    select ''`.execute(db);
  return rows.map(({ tenant_id }) => tenant_id);
}
