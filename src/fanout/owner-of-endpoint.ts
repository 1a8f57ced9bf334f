import { sql } from "kysely";
import type { Database } from "../store/database.ts";

/** Whose an endpoint is or was, also when it is deleted; for lists that are kept by owner. */
export async function findOwnerOfEndpoint(
  db: Database,
  endpointId: string,
): Promise<string | undefined> {
  const { rows } = await sql<{ tenant_id: string }>`
    select tenant_id from webhook_endpoint where id = ${endpointId}
    union all
    select tenant_id from deleted_endpoint where endpoint_id = ${endpointId}`.execute(db);
  return rows[0]?.tenant_id;
}
