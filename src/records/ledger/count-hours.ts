import { sql } from "kysely";
import type { EventCursor } from "../../events/read-events.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import { countEvents, HOUR_MS, type MissingDelivery } from "./count-events.ts";
import { addCounts, completePass } from "./passes.ts";
import { tellDrift } from "./tell-drift.ts";
import { addTraffic, forgetTraffic } from "./traffic.ts";

/** What was not known to be missing before. */
export type Drift = { hour: Date; missing: MissingDelivery[] };

const EVENTS_AT_ONCE = 1000;
const STEPS_MAX = 500;
// No transaction that writes an event waits for longer between its beginning and its first row.
const MARGIN_SECONDS = 60;

/**
 * Counts the hours that are closed and due, some thousand events in each of its transactions, so that
 * a run that is cut goes on where it was. One process at a time. Called once a minute.
 */
export async function countHours(
  db: Database,
  options: {
    now: Date;
    /** Older events are about to go, and their deliveries with them. */
    keptSince: Date;
    eventsAtOnce?: number;
    onDrift: (drift: Drift) => void;
  },
): Promise<void> {
  const { now, keptSince, eventsAtOnce = EVENTS_AT_ONCE, onDrift } = options;
  await openHours(db, { now, keptSince });
  for (let step = 0; step < STEPS_MAX; step++) {
    const done = await db.transaction().execute((trx) => countOn(trx, { now, eventsAtOnce }));
    if (done === undefined) {
      return;
    }
    if (done.missing.length > 0) {
      onDrift(done);
    }
  }
}

/** Makes a row of each hour that nothing can be added to any more, and forgets what is not kept. */
async function openHours(db: Database, options: { now: Date; keptSince: Date }): Promise<void> {
  const { now, keptSince } = options;
  await sql`delete from ledger_hour where hour < ${keptSince}`.execute(db);
  await sql`delete from ledger_drift where hour < ${keptSince}`.execute(db);
  await forgetTraffic(db, { now });
  await sql`delete from deleted_endpoint where deleted_at < ${keptSince}`.execute(db);
  await sql`
    with first_event as (
      select greatest(coalesce(
        (select max(hour) + interval '1 hour' from ledger_hour),
        (select date_trunc('hour', received_at, 'UTC') from event order by xid, seq limit 1)
      ), date_trunc('hour', ${keptSince}::timestamptz, 'UTC') + interval '1 hour') as hour
    ), closed as (
      select max(at) - make_interval(secs => ${MARGIN_SECONDS}) as until from xid_mark
      where at <= ${now} and xid <= pg_snapshot_xmin(pg_current_snapshot())
    )
    insert into ledger_hour (hour, count_again_at)
    select h, ${now} from first_event, closed,
      generate_series(first_event.hour, closed.until - interval '1 hour', interval '1 hour') h
    on conflict do nothing`.execute(db);
}

async function countOn(
  trx: DatabaseTransaction,
  options: { now: Date; eventsAtOnce: number },
): Promise<Drift | undefined> {
  const { now, eventsAtOnce } = options;
  const { rows } = await sql<{ mine: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('ledger')) as mine`.execute(trx);
  if (rows[0]?.mine !== true) {
    return undefined;
  }
  const due = await trx
    .selectFrom("ledger_hour")
    .selectAll()
    .where("count_again_at", "<=", now)
    .orderBy("count_again_at")
    .orderBy("hour")
    .limit(1)
    .executeTakeFirst();
  if (due === undefined) {
    return undefined;
  }
  const { hour } = due;
  const after: EventCursor = [due.xid, due.seq];
  const pass = due.pass + 1;
  const { counts, missing, traffic, last, eventCount } = await countEvents(trx, {
    hour,
    after,
    eventsMax: eventsAtOnce,
  });
  await addCounts(trx, { hour, pass, counts });
  if (pass === 1) {
    // What came in a closed hour is the same each time that it is counted.
    await addTraffic(trx, { hour, traffic });
  }
  if (last !== undefined && eventCount === eventsAtOnce) {
    await trx
      .updateTable("ledger_hour")
      .set({ xid: last[0], seq: last[1], began_at: sql`coalesce(began_at, ${now})` })
      .where("hour", "=", hour)
      .execute();
  } else {
    await completePass(trx, { hour, pass, now });
  }
  return { hour, missing: await tellDrift(trx, { hour, missing }) };
}

/** The hour that a time is in. */
export function hourOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / HOUR_MS) * HOUR_MS);
}
