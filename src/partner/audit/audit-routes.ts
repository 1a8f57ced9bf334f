import type { Schemas } from "../../http/contract-types.ts";
import { CURSOR_COUNTER, parsePage, presentPage } from "../../http/paging.ts";
import { queryText, queryTime } from "../../http/query.ts";
import { partnerRoute, type Route } from "../../http/route.ts";
import type { Database } from "../../store/database.ts";
import { type AuditEntryRow, readAuditAsPartner } from "./read-audit.ts";

/** Who changed what. */
export function auditRoutes({ db }: { db: Database }): Route[] {
  return [
    partnerRoute(
      {
        method: "GET",
        path: "/partner/v1/audit",
        operationId: "listAudit",
        scope: "partner:read",
      },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_COUNTER, CURSOR_COUNTER]);
        const rows = await readAuditAsPartner(db, {
          ...page,
          tenantId: queryText(query, "tenant_id"),
          requestId: queryText(query, "request_id"),
          operation: queryText(query, "operation"),
          from: queryTime(query, "from"),
          to: queryTime(query, "to"),
        });
        const body = presentPage(rows, page, (row) => [row.xid, row.seq], presentEntry);
        return { status: 200, body };
      },
    ),
  ];
}

function presentEntry(row: AuditEntryRow): Schemas["AuditEntry"] {
  return {
    id: row.id,
    at: row.at.toISOString(),
    phase: row.phase,
    request_id: row.request_id,
    actor: { kind: row.actor_kind, id: row.actor, tenant_id: row.actor_tenant_id },
    operation: row.operation,
    target: row.target as Schemas["AuditEntry"]["target"],
    status: row.status,
    code: row.code,
    before: row.before,
    after: row.after,
  };
}
