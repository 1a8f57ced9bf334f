import { sql } from "kysely";
import type { Database } from "../../store/database.ts";
import type { AlertRow } from "./alerts.ts";

/** Newest first. `after`: the `seq` of the last one seen. */
export async function listAlertsAsPartner(
  db: Database,
  options: {
    limit: number;
    after: string[] | undefined;
    state: "open" | "cleared" | undefined;
    kind: string | undefined;
    tenantId: string | undefined;
    phoneNumberId: string | undefined;
  },
): Promise<AlertRow[]> {
  const { limit, after, state, kind, tenantId, phoneNumberId } = options;
  return db
    .selectFrom("alert")
    .selectAll()
    .$if(after !== undefined, (q) => q.where("seq", "<", after?.[0] ?? ""))
    .$if(state === "open", (q) => q.where("cleared_at", "is", null))
    .$if(state === "cleared", (q) => q.where("cleared_at", "is not", null))
    .$if(kind !== undefined, (q) => q.where("kind", "=", kind ?? ""))
    .$if(tenantId !== undefined, (q) => q.where("tenant_id", "=", tenantId ?? ""))
    .$if(phoneNumberId !== undefined, (q) => q.where("phone_number_id", "=", phoneNumberId ?? ""))
    .orderBy("seq", "desc")
    .limit(limit + 1)
    .execute();
}

/** How many are open of each kind. */
export async function countOpenAlerts(db: Database): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("alert")
    .select(["kind", sql<number>`count(*)::int`.as("count")])
    .where("cleared_at", "is", null)
    .groupBy("kind")
    .execute();
  return new Map(rows.map(({ kind, count }) => [kind, count]));
}

/** What has long been over. */
export async function pruneAlerts(db: Database): Promise<void> {
  await sql`delete from alert where cleared_at < now() - interval '90 days'`.execute(db);
}
