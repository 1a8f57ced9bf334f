import { sql } from "kysely";
import type { DatabaseTransaction } from "../../store/database.ts";
import type { LedgerCount } from "./count-events.ts";

/** Adds what was counted to a count of the hour that is not complete yet, and that nobody reads. */
export async function addCounts(
  trx: DatabaseTransaction,
  options: { hour: Date; pass: number; counts: readonly LedgerCount[] },
): Promise<void> {
  const { hour, pass, counts } = options;
  if (counts.length === 0) {
    return;
  }
  await sql`
    insert into ledger as l (tenant_id, hour, endpoint_id, phone_number_id, pass, received, filtered,
      delivered, exhausted, cancelled, pending, delivering, missing)
    select c.tenant_id, ${hour}, c.endpoint_id, c.phone_number_id, ${pass}, c.received, c.filtered,
      c.delivered, c.exhausted, c.cancelled, c.pending, c.delivering, c.missing
    from json_to_recordset(${JSON.stringify(counts)}::json) as c (
      tenant_id text, endpoint_id text, phone_number_id text, received int, filtered int,
      delivered int, exhausted int, cancelled int, pending int, delivering int, missing int)
    on conflict (tenant_id, hour, endpoint_id, phone_number_id, pass) do update set
      received = l.received + excluded.received,
      filtered = l.filtered + excluded.filtered,
      delivered = l.delivered + excluded.delivered,
      exhausted = l.exhausted + excluded.exhausted,
      cancelled = l.cancelled + excluded.cancelled,
      pending = l.pending + excluded.pending,
      delivering = l.delivering + excluded.delivering,
      missing = l.missing + excluded.missing`.execute(trx);
}

/**
 * From now on this count is the hour's. While something in it is live it is counted again, the older the
 * less often; else once a day. What a replay asked for meanwhile stays asked for.
 */
export async function completePass(
  trx: DatabaseTransaction,
  options: { hour: Date; pass: number; now: Date },
): Promise<void> {
  const { hour, pass, now } = options;
  await sql`
    with total as (
      select coalesce(sum(received), 0) as received, coalesce(sum(filtered), 0) as filtered,
        coalesce(sum(delivered), 0) as delivered, coalesce(sum(exhausted), 0) as exhausted,
        coalesce(sum(cancelled), 0) as cancelled, coalesce(sum(missing), 0) as missing,
        coalesce(sum(pending + delivering), 0) as live
      from ledger where hour = ${hour} and pass = ${pass}
    )
    update ledger_hour h set pass = ${pass}, counted_at = ${now}, began_at = null,
      xid = '0', seq = 0, received = t.received, filtered = t.filtered, delivered = t.delivered,
      exhausted = t.exhausted, cancelled = t.cancelled, missing = t.missing, live = t.live,
      count_again_at = case
        when h.count_again_at > coalesce(h.began_at, ${now}) then h.count_again_at
        when t.live > 0 then ${now}::timestamptz
          + greatest(interval '50 seconds', (${now}::timestamptz - h.hour) / 10)
        else ${now}::timestamptz + interval '1 day' end
    from total t where h.hour = ${hour}`.execute(trx);
  await trx.deleteFrom("ledger").where("hour", "=", hour).where("pass", "!=", pass).execute();
}
