import { releaseEndpoints, suspendEndpoints } from "../fanout/suspend-endpoints.ts";
import type { Database } from "../store/database.ts";
import { setTenantState, type TenantRow } from "../tenancy/tenants.ts";

/**
 * Suspends a tenant or lets it go on, with its endpoints, in one transaction. Safe to repeat.
 * @returns `undefined` where there is no such tenant
 */
export async function changeTenantState(
  db: Database,
  tenantId: string,
  state: TenantRow["state"],
): Promise<TenantRow | undefined> {
  return db.transaction().execute(async (trx) => {
    const tenant = await setTenantState(trx, tenantId, state);
    await (state === "suspended" ? suspendEndpoints : releaseEndpoints)(trx, tenantId);
    return tenant;
  });
}
