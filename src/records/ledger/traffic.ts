import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { TrafficCount } from "./count-events.ts";

// Three weeks back tell what is usual; one more, for what is counted late.
const KEPT_MS = 28 * 24 * 3_600_000;

/** Adds what was counted to what has come of these numbers in the hour. */
export async function addTraffic(
  trx: DatabaseTransaction,
  { hour, traffic }: { hour: Date; traffic: readonly TrafficCount[] },
): Promise<void> {
  if (traffic.length === 0) {
    return;
  }
  await sql`
    insert into traffic as t (tenant_id, phone_number_id, hour, events)
    select c.tenant_id, c.phone_number_id, ${hour}, c.events
    from json_to_recordset(${JSON.stringify(traffic)}::json) as c (
      tenant_id text, phone_number_id text, events int)
    on conflict (tenant_id, phone_number_id, hour) do update
    set events = t.events + excluded.events`.execute(trx);
}

/** However long events are kept, what is usual is known. */
export async function forgetTraffic(db: Database, { now }: { now: Date }): Promise<void> {
  await db
    .deleteFrom("traffic")
    .where("hour", "<", new Date(now.getTime() - KEPT_MS))
    .execute();
}
