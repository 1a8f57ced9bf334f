import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";

export const TENANT = "ten_pages";
const DAYS = 30;
const ENDPOINTS = 10;
const NUMBERS = 20;

export const endpointId = (n: number): string => `whe_${String(n).padStart(26, "0")}`;
/** It has always been exhausted, and the first has always been delivered to. */
export const DEAD_ENDPOINT = endpointId(ENDPOINTS - 1);
export const PAUSED_ENDPOINT = endpointId(ENDPOINTS - 2);

/**
 * Thirty days of one tenant, written by SQL: ten endpoints, of which one was never there and one is
 * paused with a hundredth of all rows waiting for it. One transaction an event, as xids go.
 */
export async function loadHistory(
  db: Database,
  options: { deliveries: number; onDay: (day: number) => void },
): Promise<void> {
  const events = Math.ceil(options.deliveries / ENDPOINTS);
  const perDay = Math.ceil(events / DAYS);
  await sql`insert into tenant (id, name) values (${TENANT}, 'Pages')`.execute(db);
  await sql`
    insert into webhook_endpoint (id, tenant_id, url, header_names, signing_secret_sealed, format,
      timeout_seconds, max_in_flight, managed_by, state, created_at)
    select 'whe_' || lpad(n::text, 26, '0'), ${TENANT}, 'https://x.example/' || n, '{}', '', 'event',
      10, 10, 'api', case n when ${ENDPOINTS - 2} then 'paused' else 'active' end,
      now() - interval '40 days'
    from generate_series(0, ${ENDPOINTS - 1}::int) n`.execute(db);
  for (let day = 0; day < DAYS; day++) {
    await makeDay(db, DAYS - day);
    await loadDay(db, { daysAgo: DAYS - day, first: day * perDay, count: perDay });
    options.onDay(day + 1);
  }
  // Our own transactions are few: what is written here lies far below the server's next.
  await sql`analyze`.execute(db);
}

async function makeDay(db: Database, daysAgo: number): Promise<void> {
  const day = new Date(Math.floor(Date.now() / 86_400_000 - daysAgo) * 86_400_000);
  const name = day.toISOString().slice(0, 10).replaceAll("-", "");
  for (const parent of ["event", "delivery_finished"]) {
    await sql`
      create table if not exists ${sql.table(`${parent}_${name}`)}
      partition of ${sql.table(parent)}
      for values from (${sql.lit(day.toISOString())})
      to (${sql.lit(new Date(day.getTime() + 86_400_000).toISOString())})`.execute(db);
  }
}

async function loadDay(
  db: Database,
  day: { daysAgo: number; first: number; count: number },
): Promise<void> {
  const { daysAgo, first, count } = day;
  const begins = sql`(date_trunc('day', now(), 'UTC') - make_interval(days => ${daysAgo}::int))`;
  const at = sql`(${begins} + make_interval(secs => 86399.0 * (n - ${first}::int) / ${count}::int))`;
  // Below any xid of a real transaction, so that all may be read.
  const xid = sql`((n / 4 + 1)::text::xid8)`;
  const identity = sql`sha256(n::text::bytea)`;
  await sql`
    insert into event (tenant_id, id, xid, seq, type, phone_number_id, waba_id, identity,
      notification_id, body, received_at)
    overriding system value
    select ${TENANT}, 'evt_' || lpad(n::text, 26, '0'), ${xid}, n,
      case n % 4 when 0 then 'message.received' else 'message.status.delivered' end,
      (n % ${NUMBERS}::int)::text, '1', ${identity}, '', '{}', ${at}
    from generate_series(${first}::int, ${first + count - 1}::int) n`.execute(db);
  const columns = sql.raw(
    "tenant_id, event_xid, event_seq, endpoint_id, id, event_id, event_received_at, state, attempt_count, created_at",
  );
  const row = (state: string) => sql`
    ${TENANT}, ${xid}, n, w.id,
    'dlv_x' || left(encode(${identity}, 'hex'), 12) || left(md5(w.id || n), 13), 'evt_' || lpad(n::text, 26, '0'), ${at}, ${sql.raw(state)},
    1, ${at}`;
  const paused = sql`w.id = ${PAUSED_ENDPOINT} and n % 10 = 0`;
  await sql`
    insert into delivery_finished (${columns}, finished_at)
    select ${row(`case when w.id = '${DEAD_ENDPOINT}' then 'exhausted' else 'delivered' end`)}, ${at}
    from generate_series(${first}::int, ${first + count - 1}::int) n, webhook_endpoint w
    where not (${paused})`.execute(db);
  await sql`
    insert into delivery (${columns})
    select ${row("'pending'")}
    from generate_series(${first}::int, ${first + count - 1}::int) n, webhook_endpoint w
    where ${paused}`.execute(db);
  await sql`
    insert into xid_mark (at, xid) values (${begins}, ${String(Math.floor(first / 4) + 1)}::xid8)
  `.execute(db);
}
