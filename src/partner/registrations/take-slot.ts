import { type Selectable, sql } from "kysely";
import { newId } from "../../ids.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { RegistrationKind, RegistrationTable } from "../../store/schema/registrations.ts";
import { judgeStanding, RegistrationLimit, SLOTS_MAX, WINDOW_MS } from "./registration-limit.ts";

export type RegistrationRow = Selectable<RegistrationTable>;

/**
 * The one way to a registration slot: whatever registers a number at 360dialog takes one first, and
 * commits it before it asks. A slot is never given back, because 360dialog counts requests, not
 * successes. `now` is the database's clock unless a test says otherwise.
 * @throws {RegistrationLimit} 429 with `next_free_at`
 */
export async function takeRegistrationSlot(
  db: Database,
  phoneNumberId: string,
  options: { kind: RegistrationKind; note: string | null; now?: Date },
): Promise<RegistrationRow> {
  const { kind, note } = options;
  return db.transaction().execute(async (trx) => {
    const { blockedUntil, clock } = await lockLimit(trx, phoneNumberId);
    const now = options.now ?? clock;
    const newest = await trx
      .selectFrom("registration")
      .select("registered_at")
      .where("phone_number_id", "=", phoneNumberId)
      .orderBy("seq", "desc")
      .limit(SLOTS_MAX)
      .execute();
    const newestAt = newest.map((row) => row.registered_at);
    const standing = judgeStanding({ newestAt, blockedUntil, now });
    if (standing.left === 0) {
      throw new RegistrationLimit(standing, now);
    }
    return trx
      .insertInto("registration")
      .values({
        phone_number_id: phoneNumberId,
        id: newId("reg"),
        kind,
        note,
        registered_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

/** 360dialog has refused for too many registrations: for 72 hours from now it takes none. */
export async function blockRegistrations(
  db: Database,
  phoneNumberId: string,
  options: { now?: Date } = {},
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { clock } = await lockLimit(trx, phoneNumberId);
    const now = options.now ?? clock;
    await trx
      .updateTable("registration_limit")
      .set({ blocked_until: new Date(now.getTime() + WINDOW_MS) })
      .where("phone_number_id", "=", phoneNumberId)
      .execute();
  });
}

/** Locks the number's limit until the transaction ends; the clock is read when that is had. */
async function lockLimit(
  trx: DatabaseTransaction,
  phoneNumberId: string,
): Promise<{ blockedUntil: Date | null; clock: Date }> {
  await sql`
    insert into registration_limit (phone_number_id) values (${phoneNumberId})
    on conflict (phone_number_id) do update set phone_number_id = excluded.phone_number_id`.execute(
    trx,
  );
  const { rows } = await sql<{ blocked_until: Date | null; clock: Date }>`
    select blocked_until, clock_timestamp()::timestamptz(3) as clock
    from registration_limit where phone_number_id = ${phoneNumberId}`.execute(trx);
  return { blockedUntil: rows[0]?.blocked_until ?? null, clock: rows[0]?.clock ?? new Date() };
}
