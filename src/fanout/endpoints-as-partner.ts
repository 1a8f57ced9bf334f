import type { Database } from "../store/database.ts";
import type { WebhookEndpointState } from "../store/schema/fanout.ts";
import type { WebhookEndpointRow } from "./endpoints.ts";

/** All tenants' endpoints and the partner's own, in the order of their ids. */
export async function listEndpointsAsPartner(
  db: Database,
  page: {
    limit: number;
    after: string[] | undefined;
    tenantId?: string | undefined;
    state?: string | undefined;
  },
): Promise<WebhookEndpointRow[]> {
  const { tenantId, state, after, limit } = page;
  return db
    .selectFrom("webhook_endpoint")
    .selectAll()
    .$if(tenantId !== undefined, (q) => q.where("owner_tenant_id", "=", tenantId ?? ""))
    .$if(state !== undefined, (q) => q.where("state", "=", state as WebhookEndpointState))
    .$if(after !== undefined, (q) => q.where("id", ">", after?.[0] ?? ""))
    .orderBy("id")
    .limit(limit + 1)
    .execute();
}
