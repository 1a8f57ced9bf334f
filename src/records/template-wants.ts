import { sql } from "kysely";
import type { Database } from "../store/database.ts";

/** A WABA that the tenant has numbers on, and how fresh our copy of its templates is. */
export type WabaSync = {
  waba_id: string;
  asked_at: Date | null;
  synced_at: Date | null;
  failure: string | null;
};

/** `among` is a token's limit to some numbers; `null` means all of the tenant. */
export async function listWabaSyncs(
  db: Database,
  tenantId: string,
  options: { among: readonly string[] | null; wabaId: string | undefined },
): Promise<WabaSync[]> {
  const { among, wabaId } = options;
  const rows = await db
    .selectFrom("phone_number as n")
    .leftJoin("template_sync as s", (join) =>
      join.onRef("s.tenant_id", "=", "n.tenant_id").onRef("s.waba_id", "=", "n.waba_id"),
    )
    .where("n.tenant_id", "=", tenantId)
    .where("n.waba_id", "is not", null)
    .$if(among !== null, (q) => q.where("n.phone_number_id", "in", [...(among ?? []), ""]))
    .$if(wabaId !== undefined, (q) => q.where("n.waba_id", "=", wabaId ?? ""))
    .select(["n.waba_id", "s.asked_at", "s.synced_at", "s.failure"])
    .distinct()
    .orderBy("n.waba_id")
    .execute();
  return rows.flatMap((row) => (row.waba_id === null ? [] : [{ ...row, waba_id: row.waba_id }]));
}

/** The first need: from now on these WABAs' templates are kept here. */
export async function needTemplates(
  db: Database,
  tenantId: string,
  wabaIds: readonly string[],
): Promise<void> {
  if (wabaIds.length > 0) {
    await db
      .insertInto("template_sync")
      .values(wabaIds.map((waba_id) => ({ tenant_id: tenantId, waba_id })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/**
 * Brings the next sync of these WABAs forward to now, each at most once a minute, and gives those
 * for which it did. Without `evenAfterFailure` one that backs off goes on doing so.
 */
export async function askForTemplates(
  db: Database,
  tenantId: string,
  options: { wabaIds: readonly string[]; evenAfterFailure: boolean },
): Promise<WabaSync[]> {
  const { rows } = await sql<WabaSync>`
    insert into template_sync as s (tenant_id, waba_id)
    select ${tenantId}, * from unnest(${[...options.wabaIds]}::text[])
    on conflict (tenant_id, waba_id) do update set asked_at = now(), next_at = now()
    where s.asked_at <= now() - interval '1 minute'
      and (${options.evenAfterFailure}::boolean or s.failed_count = 0)
    returning waba_id, asked_at, synced_at, failure`.execute(db);
  return rows;
}
