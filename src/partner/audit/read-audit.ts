import { type Selectable, sql } from "kysely";
import { SETTLED_XID } from "../../events/read-events.ts";
import type { Database } from "../../store/database.ts";
import type { AuditEntryTable } from "../../store/schema/audit.ts";

export type AuditEntryRow = Selectable<AuditEntryTable>;

/** The oldest first, in the order in which every reader sees them: a page never misses one. */
export async function readAuditAsPartner(
  db: Database,
  options: {
    limit: number;
    after: string[] | undefined;
    tenantId: string | undefined;
    requestId: string | undefined;
    operation: string | undefined;
    from: Date | undefined;
    to: Date | undefined;
  },
): Promise<AuditEntryRow[]> {
  const { limit, after, tenantId, requestId, operation, from, to } = options;
  let query = db
    .selectFrom("audit_entry")
    .selectAll()
    .where(SETTLED_XID)
    .orderBy("xid")
    .orderBy("seq")
    .limit(limit + 1);
  if (after !== undefined) {
    query = query.where(sql<boolean>`(xid, seq) > (${after[0]}::xid8, ${after[1]}::bigint)`);
  }
  if (tenantId !== undefined) {
    query = query.where("actor_tenant_id", "=", tenantId);
  }
  if (requestId !== undefined) {
    query = query.where("request_id", "=", requestId);
  }
  if (operation !== undefined) {
    query = query.where("operation", "=", operation);
  }
  if (from !== undefined) {
    query = query.where("at", ">=", from);
  }
  if (to !== undefined) {
    query = query.where("at", "<", to);
  }
  return query.execute();
}
