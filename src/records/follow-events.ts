import { type RawBuilder, sql } from "kysely";
import { keepLooking } from "../clock.ts";
import {
  type EventCursor,
  type FollowedEventRow,
  readEventsAsPartner,
} from "../events/read-events.ts";
import { NO_TENANT } from "../events/no-tenant.ts";
import {
  type Database,
  type DatabaseTransaction,
  isPassingTrouble,
  sqlState,
} from "../store/database.ts";

/**
 * One committed event as followers see it; `value` is the parsed fragment: the `value` of the
 * envelope's change, or undefined where it is none.
 */
export type FollowedEvent = {
  tenantId: string;
  id: string;
  type: string;
  phoneNumberId: string | null;
  wabaId: string | null;
  receivedAt: Date;
  value: unknown;
};

/**
 * What is derived from a batch of events, written inside the transaction that moves the cursor. Must
 * be idempotent.
 */
export type ApplyEvents = (
  trx: DatabaseTransaction,
  events: readonly FollowedEvent[],
) => Promise<void>;

const BATCH_MAX = 500;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const LOOK_EVERY_MS = 1000;
// Whatever is committed is told of by a poke, at the latest by the look once a second.
const LOOK_ANYWAY_MS = 60_000;
// A pass is a dozen statements, however few events it finds. Who cannot wait for it looks at what is
// unread (`unread-events.ts`).
const PACE_MS = 250;
const LOOK_SOON_MS = 10;
const TIMEOUTS_MAX = 5;
const START: EventCursor = ["0", "0"];

/** The name of the one follower: what it has passed has been counted and written down. */
export const RECORDS_FOLLOWER = "records";

type FollowerOptions = {
  db: Database;
  name: string;
  apply: readonly ApplyEvents[];
  onError: (error: unknown) => void;
};

/**
 * Applies every tenant's events in the readers' order, each once: cursor and effect are one commit.
 * Of several processes one at a time has the turn. Events without an owner are passed over.
 *
 * A batch that fails is gone through event by event. There each applier is tried for itself, and one
 * that still fails is skipped for this event, told to `onError` with the event's id: its neighbours
 * and the other appliers must not wait for ever. Only trouble that passes is never skipped, but for
 * an event that has run into the statement's time limit five times.
 */
export function startFollower(options: FollowerOptions): {
  poke: () => void;
  stop: () => Promise<void>;
} {
  const { db, name, onError } = options;
  let oneByOne = 0;
  let soonMs = LOOK_SOON_MS;
  let timeouts = 0;

  /** The events passed over or applied, or why there were none. */
  async function followOnce(limit: number): Promise<number | "wait" | "nothing"> {
    return db.transaction().execute(async (trx) => {
      if (!(await takeTurn(trx, name))) {
        return "wait";
      }
      const after = await findCursor(trx, name);
      const read = { after, limit, bytesMax: BATCH_BYTES_MAX };
      const { rows, more } = await readEventsAsPartner(trx, read);
      const last = rows.at(-1);
      if (last === undefined) {
        return more ? "wait" : "nothing";
      }
      const events = rows.filter((row) => row.tenant_id !== NO_TENANT).map(followed);
      if (events.length > 0) {
        await (limit === 1 ? applyOne(trx, events) : applyAll(trx, events));
      }
      await moveCursor(trx, name, [last.xid, last.seq]);
      return rows.length;
    });
  }

  async function applyAll(trx: DatabaseTransaction, events: FollowedEvent[]): Promise<void> {
    for (const apply of options.apply) {
      await apply(trx, events);
    }
  }

  async function applyOne(trx: DatabaseTransaction, events: FollowedEvent[]): Promise<void> {
    for (const apply of options.apply) {
      await sql`savepoint before_applier`.execute(trx);
      try {
        await apply(trx, events);
        await sql`release savepoint before_applier`.execute(trx);
      } catch (error) {
        if (isPassingTrouble(error) && !(isTimeout(error) && ++timeouts >= TIMEOUTS_MAX)) {
          throw error;
        }
        await sql`rollback to savepoint before_applier`.execute(trx);
        onError(new Error(`${name} skipped event ${events[0]?.id}`, { cause: error }));
      }
    }
  }

  async function look(): Promise<number> {
    const alone = oneByOne > 0;
    try {
      const done = await followOnce(alone ? 1 : BATCH_MAX);
      timeouts = 0;
      if (typeof done === "number") {
        oneByOne = Math.max(0, oneByOne - done);
        soonMs = LOOK_SOON_MS;
        return 0;
      }
      // A commit or another process's turn is under way, and ends without a poke for us.
      soonMs = done === "wait" ? Math.min(soonMs * 2, LOOK_EVERY_MS) : LOOK_SOON_MS;
      return done === "wait" ? soonMs : LOOK_ANYWAY_MS;
    } catch (error) {
      if (!alone && (!isPassingTrouble(error) || isTimeout(error))) {
        oneByOne = BATCH_MAX;
        return 0;
      }
      onError(error);
      return LOOK_EVERY_MS;
    }
  }

  return keepLooking(look, { paceMs: PACE_MS });
}

/** Whether a follower has something to look at. */
export function somethingToFollow(name: string): RawBuilder<boolean> {
  return sql<boolean>`select exists (
    select 1 from event where (xid, seq) > (
      coalesce((select xid from follower where name = ${name}), '0'),
      coalesce((select seq from follower where name = ${name}), 0)))`;
}

/** SQLSTATE query_canceled: the statement took longer than it may. */
function isTimeout(error: unknown): boolean {
  return sqlState(error) === "57014";
}

/**
 * A statement of its own, so that the next one sees what the one before us in turn has committed.
 * Not a row's lock: that would give us an xid, behind which no reader sees a thing.
 */
async function takeTurn(trx: DatabaseTransaction, name: string): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('follower'), hashtext(${name})) as mine`.execute(trx);
  return rows[0]?.mine === true;
}

async function findCursor(trx: DatabaseTransaction, name: string): Promise<EventCursor> {
  const row = await trx
    .selectFrom("follower")
    .select(["xid", "seq"])
    .where("name", "=", name)
    .executeTakeFirst();
  return row === undefined ? START : [row.xid, row.seq];
}

async function moveCursor(
  trx: DatabaseTransaction,
  name: string,
  [xid, seq]: EventCursor,
): Promise<void> {
  await trx
    .insertInto("follower")
    .values({ name, xid, seq })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ xid, seq }))
    .execute();
}

function followed(row: FollowedEventRow): FollowedEvent {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    type: row.type,
    phoneNumberId: row.phone_number_id,
    wabaId: row.waba_id,
    receivedAt: row.received_at,
    value: valueOf(row.body),
  };
}

/** The `value` of a stored fragment's change; undefined where it is none. */
export function valueOf(body: Buffer): unknown {
  try {
    const parsed = JSON.parse(body.toString("utf8")) as {
      entry?: { changes?: { value?: unknown }[] }[];
    } | null;
    return parsed?.entry?.[0]?.changes?.[0]?.value;
  } catch {
    return undefined;
  }
}
