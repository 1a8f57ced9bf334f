import { sql } from "kysely";
import { hourOf } from "../../records/ledger/count-hours.ts";
import type { Database } from "../../store/database.ts";
import { clearAlert, numberSubject, raiseAlert } from "../alerts/alerts.ts";

const WEEK_HOURS = 7 * 24;

/** How long nothing came, in whole hours of the clock. */
export const SILENT_HOURS = 3;
/** The same hours of the same weekday, so many weeks back, tell what is usual. */
export const WEEKS = 3;
/**
 * What came in each of those weeks. Where ten are to be expected, none comes by chance once in twenty
 * thousand times (Poisson: e^-10).
 */
export const USUAL_EVENTS = 10;

/** What came in these hours now, and in the same ones of each week before. */
export function isSilent(came: { now: number; before: readonly number[] }): boolean {
  return (
    came.now === 0 &&
    came.before.length === WEEKS &&
    came.before.every((count) => count >= USUAL_EVENTS)
  );
}

/**
 * How many events of the number came in the last whole hours, and in the same ones of each week before, as
 * the ledger's job has counted them. `undefined` while one of the last hours is not counted yet.
 */
export async function readTraffic(
  db: Database,
  tenantId: string,
  options: { phoneNumberId: string; now: Date },
): Promise<{ now: number; before: number[] } | undefined> {
  const { phoneNumberId, now } = options;
  const end = hourOf(now);
  const { rows } = await sql<{ events: number; hours: number }>`
    with span as (
      select ${end}::timestamptz - make_interval(hours => ${WEEK_HOURS} * week + ${SILENT_HOURS}) as since,
        ${end}::timestamptz - make_interval(hours => ${WEEK_HOURS} * week) as until
      from generate_series(0, ${WEEKS}) week
    )
    select (
      select coalesce(sum(events), 0)::int from traffic
      where tenant_id = ${tenantId} and phone_number_id = ${phoneNumberId}
        and hour >= since and hour < until
    ) as events, (
      select count(*)::int from ledger_hour where hour >= since and hour < until and pass > 0
    ) as hours
    from span order by until desc`.execute(db);
  const [last, ...before] = rows;
  return last?.hours === SILENT_HOURS
    ? { now: last.events, before: before.map(({ events }) => events) }
    : undefined;
}

type WatchedNumber = { id: string; tenant_id: string; phone_number_id: string };

/** Raises the alert `silence` where nothing has come for hours in which something usually does. */
export async function checkSilence(
  db: Database,
  number: WatchedNumber,
  { now }: { now: Date },
): Promise<void> {
  const came = await readTraffic(db, number.tenant_id, {
    phoneNumberId: number.phone_number_id,
    now,
  });
  if (came === undefined || !isSilent(came)) {
    return;
  }
  const usual = Math.min(...came.before);
  await db.transaction().execute((trx) =>
    raiseAlert(trx, {
      kind: "silence",
      subject: numberSubject(number),
      detail:
        `Nothing has come of this number for ${SILENT_HOURS} hours, in which on this weekday at least ` +
        `${usual} events came in each of the last ${WEEKS} weeks.`,
    }),
  );
}

/** Ends the silence of numbers of which something has come since; called once a minute. */
export async function clearSilence(db: Database): Promise<void> {
  const { rows } = await sql<WatchedNumber>`
    select n.id, n.tenant_id, n.phone_number_id
    from alert a join phone_number n on n.id = a.number_id
    where a.kind = 'silence' and a.cleared_at is null and exists (
      select from event e
      where e.tenant_id = n.tenant_id and e.phone_number_id = n.phone_number_id
        -- What is our own, such as this alert's event, was brought by no notification.
        and e.notification_id <> '' and e.received_at > a.raised_at
        and e.xid >= coalesce(
          (select m.xid from xid_mark m where m.at <= a.raised_at order by m.at desc limit 1),
          '0'::xid8))`.execute(db);
  for (const number of rows) {
    const subject = numberSubject(number);
    await db.transaction().execute((trx) => clearAlert(trx, { kind: "silence", subject }));
  }
}
