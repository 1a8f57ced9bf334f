import type { Schemas } from "../../http/contract-types.ts";
import { CURSOR_COUNTER, parsePage, presentPage } from "../../http/paging.ts";
import { queryText } from "../../http/query.ts";
import { partnerRoute, type Route } from "../../http/route.ts";
import type { Database } from "../../store/database.ts";
import type { AlertRow } from "./alerts.ts";
import { listAlertsAsPartner } from "./read-alerts.ts";

/** What is wrong and wants a person, and what was. */
export function alertRoutes({ db }: { db: Database }): Route[] {
  return [
    partnerRoute(
      {
        method: "GET",
        path: "/partner/v1/alerts",
        operationId: "listAlerts",
        scope: "partner:read",
      },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_COUNTER]);
        const rows = await listAlertsAsPartner(db, {
          ...page,
          state: query["state"] as "open" | "cleared" | undefined,
          kind: queryText(query, "kind"),
          tenantId: queryText(query, "tenant_id"),
          phoneNumberId: queryText(query, "phone_number_id"),
        });
        return { status: 200, body: presentPage(rows, page, (row) => [row.seq], presentAlert) };
      },
    ),
  ];
}

function presentAlert(row: AlertRow): Schemas["Alert"] {
  return {
    id: row.id,
    kind: row.kind,
    state: row.cleared_at === null ? "open" : "cleared",
    tenant_id: row.tenant_id,
    number_id: row.number_id,
    phone_number_id: row.phone_number_id,
    endpoint_id: row.endpoint_id,
    detail: row.detail,
    raised_at: row.raised_at.toISOString(),
    last_seen_at: row.last_seen_at.toISOString(),
    count: row.count,
    cleared_at: row.cleared_at?.toISOString() ?? null,
  };
}
