import { sql } from "kysely";
import { NO_TENANT } from "../../events/no-tenant.ts";
import type { Database } from "../../store/database.ts";
import { counted, type LedgerFilter, type LedgerRow } from "./read-ledger.ts";

/** A row's place in the list of all tenants. */
export function keyAsPartner(row: LedgerRow): string[] {
  return [row.hour.toISOString(), row.tenant_id, row.endpoint_id, row.phone_number_id];
}

/**
 * The ledger of these tenants, or of all and the partner's own endpoints, by hour, tenant, endpoint and
 * number: a page of each tenant's, and of those the first. Only hours that are counted: to count the
 * open one for everybody would take as long as all tenants' events of it.
 */
export async function readLedgerAsPartner(
  db: Database,
  options: Omit<LedgerFilter, "among"> & {
    /** `null` means all. */
    tenantIds: readonly string[] | null;
    limit: number;
    after: string[] | undefined;
  },
): Promise<LedgerRow[]> {
  const { tenantIds, limit, after = [] } = options;
  const [afterHour = null, tenantId = null, endpointId = null, number = null] = after;
  const whose =
    tenantIds === null
      ? sql`select id from tenant union all select ${NO_TENANT}`
      : sql`select unnest(${[...tenantIds]}::text[]) as id`;
  const ofEach = counted(sql`t.id`, {
    ...options,
    among: null,
    afterHour,
    behind: sql`(l.hour, l.tenant_id collate "C", l.endpoint_id, l.phone_number_id)
      > (${afterHour}::timestamptz, ${tenantId}::text, ${endpointId}::text, ${number}::text)`,
  });
  const { rows } = await sql<LedgerRow>`
    select l.* from (${whose}) t, lateral (${ofEach}) l
    order by l.hour, l.tenant_id collate "C", l.endpoint_id, l.phone_number_id
    limit ${limit + 1}`.execute(db);
  return rows;
}
