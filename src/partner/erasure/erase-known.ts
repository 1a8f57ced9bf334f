import { type RawBuilder, sql } from "kysely";
import type { Database } from "../../store/database.ts";
import type { ErasureScope } from "./erase-events.ts";

export type ErasedKnown = {
  windows: number;
  opt_ins: number;
  marketing_preferences: number;
  statuses: number;
};

/** Erases what is known of the users themselves: windows, consents, preferences, what came of sends. */
export async function eraseKnown(
  db: Database,
  scope: ErasureScope & { needles: readonly string[] },
): Promise<ErasedKnown> {
  const { tenantId, among, until } = scope;
  const needles = [...scope.needles];
  const ofScope = sql`tenant_id = ${tenantId}
    and (${among}::text[] is null or phone_number_id = any (${among}::text[]))`;
  const erase = async (
    table: "customer_service_window" | "opt_in" | "marketing_preference",
    known: RawBuilder<unknown>,
  ): Promise<number> => {
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where ${ofScope} and user_id = any (${needles}::text[])
        and ${known} <= ${until}`.execute(db);
    return Number(numAffectedRows ?? 0);
  };
  const windows = await erase("customer_service_window", sql`last_inbound_at`);
  const opt_ins = await erase("opt_in", sql`recorded_at`);
  const marketing_preferences = await erase(
    "marketing_preference",
    sql`coalesce(greatest(stopped_at, resumed_at), '-infinity')`,
  );
  for (const needle of needles) {
    await sql`
      update opt_in set proof = replace(proof, ${needle}, 'erased'),
        source = replace(source, ${needle}, 'erased')
      where ${ofScope} and (position(${needle} in proof) > 0
        or position(${needle} in source) > 0)`.execute(db);
  }
  return { windows, opt_ins, marketing_preferences, statuses: await eraseStatuses(db, scope) };
}

/** By the indexes that lead with the number: those whose event has gone before. */
async function eraseStatuses(
  db: Database,
  scope: ErasureScope & { needles: readonly string[] },
): Promise<number> {
  const { tenantId, among, until } = scope;
  const needles = [...scope.needles];
  const { numAffectedRows } = await sql`
    delete from message_status s using (
      select phone_number_id from phone_number
      where tenant_id = ${tenantId} or exists (
        select from number_move m where m.number_id = phone_number.id and m.tenant_id = ${tenantId})
    ) n
    where s.tenant_id = ${tenantId} and s.phone_number_id = n.phone_number_id
      and (${among}::text[] is null or s.phone_number_id = any (${among}::text[]))
      and s.received_at <= ${until}
      and (s.recipient_key = any (${needles}::text[]) or s.user_key = any (${needles}::text[]))`.execute(
    db,
  );
  return Number(numAffectedRows ?? 0);
}
