import { sql } from "kysely";
import { keepWorkingAlone } from "../../store/alone.ts";
import type { Database } from "../../store/database.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import { clearAlert, raiseAlert } from "../alerts/alerts.ts";
import { findOpenRotation } from "../keys/rotations.ts";
import {
  type CheckDeps,
  type Checked,
  checkNumber,
  KEY_REJECTED,
  setAlert,
} from "./check-number.ts";
import { checkSilence } from "./silence.ts";

const LOOK_ANYWAY_MS = 5 * 60_000;
const EACH_EVERY_SECONDS = 3600;
const AFTER_TROUBLE_SECONDS = 300;
/** A number costs three calls: so no more than three a second, and 3,600 numbers an hour. */
const PAUSE_MS = 1000;
const OUTAGE_PAUSE_MS = 60_000;
/** Of so many numbers in a row nothing was heard: it is not the numbers. */
const OUTAGE_AFTER = 3;

/** Whether a number is due; for a look once a second. */
export const SOMETHING_TO_WATCH = sql<boolean>`
  select exists (select from number_watch where due_at <= now())`;

/** Goes through all numbers, each once an hour. */
export function watchNumbers(
  deps: CheckDeps & { onError: (error: unknown) => void; pauseMs?: number; outagePauseMs?: number },
): ReturnType<typeof keepWorkingAlone> {
  const { db, onError, pauseMs = PAUSE_MS, outagePauseMs = OUTAGE_PAUSE_MS } = deps;
  let unheard = 0;

  /** @returns how long to wait before the next */
  async function visit(number: PhoneNumberRow): Promise<number> {
    const checked = await lookAfter(deps, number);
    if (checked === "unreachable") {
      unheard += 1;
    } else if (checked === "answered") {
      unheard = 0;
    }
    if (checked === "answered" || unheard >= OUTAGE_AFTER) {
      await tellOutage(db, unheard > 0);
    }
    const trouble = checked === "unreachable" || checked === "busy";
    await putOff(db, number, trouble ? AFTER_TROUBLE_SECONDS : EACH_EVERY_SECONDS);
    if (checked === "not_asked") {
      return 0;
    }
    return unheard < OUTAGE_AFTER ? pauseMs : outagePauseMs;
  }

  return keepWorkingAlone({
    db,
    onError,
    lock: "watch",
    lookAnywayMs: LOOK_ANYWAY_MS,
    async step() {
      // Before each, because with many numbers the look that began with them does not end.
      await includeNewNumbers(db);
      const number = await findDue(db);
      if (number === undefined) {
        return undefined;
      }
      return visit(number).catch(async (error: unknown) => {
        onError(new Error(`number ${number.id} cannot be looked after`, { cause: error }));
        await putOff(db, number, AFTER_TROUBLE_SECONDS);
        return pauseMs;
      });
    },
  });
}

/** Spread over an hour, so that they do not all come at once, nor right after they were brought in. */
async function includeNewNumbers(db: Database): Promise<void> {
  await sql`
    insert into number_watch (number_id, due_at)
    select id, now() + interval '5 minutes' + random() * interval '55 minutes' from phone_number n
    where not exists (select from number_watch w where w.number_id = n.id)
    on conflict do nothing`.execute(db);
}

async function findDue(db: Database): Promise<PhoneNumberRow | undefined> {
  return db
    .selectFrom("number_watch")
    .innerJoin("phone_number", "phone_number.id", "number_watch.number_id")
    .selectAll("phone_number")
    .where("number_watch.due_at", "<=", sql<Date>`now()`)
    .orderBy("number_watch.due_at")
    .limit(1)
    .executeTakeFirst();
}

async function putOff(db: Database, number: PhoneNumberRow, seconds: number): Promise<void> {
  await db
    .updateTable("number_watch")
    .set({ due_at: sql<Date>`now() + make_interval(secs => ${seconds})` })
    .where("number_id", "=", number.id)
    .execute();
}

/** What is not running is not asked for; a key that is refused stays an alert until there is another. */
async function lookAfter(deps: CheckDeps, number: PhoneNumberRow): Promise<Checked> {
  const { db } = deps;
  switch (number.state) {
    case "running": {
      const rotation = await findOpenRotation(db, number.id);
      if (rotation?.retry_at === null) {
        // Its key and its webhook are between what they were and what they will be.
        return "busy";
      }
      const checked = await checkNumber(deps, number);
      if (checked === "answered") {
        await checkSilence(db, number, { now: new Date() });
      }
      return checked;
    }
    case "key_rejected":
      await setAlert(db, number, { kind: "key_rejected", wrong: KEY_REJECTED });
      return "not_asked";
    case "pending":
    case "suspended":
      // What was wrong with it is nobody's trouble while it is not used.
      for (const kind of ["webhook_dropped", "health", "silence"] as const) {
        await setAlert(db, number, { kind, wrong: undefined });
      }
      return "not_asked";
    default:
      return number.state satisfies never;
  }
}

async function tellOutage(db: Database, lasts: boolean): Promise<void> {
  const outage = { kind: "dialog360_unreachable", subject: { of: "gateway" } } as const;
  await db.transaction().execute(async (trx) => {
    await (lasts
      ? raiseAlert(trx, {
          ...outage,
          detail: "360dialog has not answered for several numbers in a row.",
        })
      : clearAlert(trx, outage));
  });
}
