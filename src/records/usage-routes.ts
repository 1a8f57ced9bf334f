import { queryText } from "../http/query.ts";
import { partnerRoute, type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { readUsage, readUsageAsPartner } from "./usage/read-usage.ts";
import { replyUsage } from "./usage/reply-usage.ts";

/** How much was sent and received, for bills. */
export function usageRoutes({ db }: { db: Database }): Route[] {
  return [
    tenantRoute(
      { method: "GET", path: "/tenant/v1/usage", operationId: "listUsage", scope: "usage:read" },
      (call) => {
        const { tenantId, phoneNumberIds } = call.caller;
        return replyUsage(call, phoneNumberIds, (page) => readUsage(db, tenantId, page));
      },
    ),
    partnerRoute(
      {
        method: "GET",
        path: "/partner/v1/usage",
        operationId: "listUsageAsPartner",
        scope: "partner:read",
      },
      (call) => {
        const tenantId = queryText(call.query, "tenant_id");
        return replyUsage(call, null, (page) => readUsageAsPartner(db, { ...page, tenantId }));
      },
    ),
  ];
}
