import { sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { judgeStanding, SLOTS_MAX, type Standing } from "./registration-limit.ts";
import type { RegistrationRow } from "./take-slot.ts";

/** Newest first. `after`: the `seq` of the last one seen. */
export async function listRegistrationsAsPartner(
  db: Database,
  phoneNumberId: string,
  page: { limit: number; after: string[] | undefined },
): Promise<RegistrationRow[]> {
  return db
    .selectFrom("registration")
    .selectAll()
    .where("phone_number_id", "=", phoneNumberId)
    .$if(page.after !== undefined, (q) => q.where("seq", "<", page.after?.[0] ?? ""))
    .orderBy("seq", "desc")
    .limit(page.limit + 1)
    .execute();
}

export type ReadStanding = Standing & { blockedUntil: Date | null };

/** What may be registered of each number now; one of which nothing is known has every slot. */
export async function readStandings(
  db: Database,
  phoneNumberIds: readonly string[],
): Promise<(phoneNumberId: string) => ReadStanding> {
  const { rows } = await sql<{
    phone_number_id: string;
    blocked_until: Date | null;
    newest: Date[];
    clock: Date;
  }>`
    select phone_number_id, blocked_until, now()::timestamptz(3) as clock,
      array(
        select registered_at from registration
        where registration.phone_number_id = registration_limit.phone_number_id
        order by seq desc limit ${SLOTS_MAX}
      ) as newest
    from registration_limit
    where phone_number_id = any (${[...phoneNumberIds]}::text[])`.execute(db);
  const standings = new Map(
    rows.map((row) => {
      const known = { newestAt: row.newest, blockedUntil: row.blocked_until, now: row.clock };
      return [row.phone_number_id, { ...judgeStanding(known), blockedUntil: row.blocked_until }];
    }),
  );
  return (phoneNumberId) =>
    standings.get(phoneNumberId) ?? {
      left: SLOTS_MAX,
      nextFreeAt: new Date(),
      blockedUntil: null,
    };
}

/** What counts no more, of numbers that are no longer here. */
export async function pruneRegistrations(db: Database): Promise<void> {
  await sql`
    delete from registration
    where registered_at < now() - interval '72 hours' and not exists (
      select 1 from phone_number
      where phone_number.phone_number_id = registration.phone_number_id)`.execute(db);
  await sql`
    delete from registration_limit
    where coalesce(blocked_until, '-infinity') < now() and not exists (
      select 1 from registration
      where registration.phone_number_id = registration_limit.phone_number_id)`.execute(db);
}
