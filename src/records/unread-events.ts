import { type RawBuilder, sql } from "kysely";
import type { Database } from "../store/database.ts";

/** So many are looked through at most: a tenant with more has a follower that is far behind. */
const LOOKED_AT_MAX = 1000;

/** Stored, and not derived from yet: what is derived from events follows them a moment behind. */
type UnreadEvent = { type: string; phone_number_id: string | null; body: Buffer };

/**
 * Which of a tenant's unread events may be meant: of these types, with one of these texts in them as it
 * is, which is how ids of users and media are written in JSON.
 */
type Meant = { tenantId: string; types: readonly string[]; texts: readonly string[] };

const isMeant = ({ types, texts }: Meant): RawBuilder<boolean> => sql`(
  type = any (${types}::text[]) and exists (
    select from unnest(${texts}::text[]) as text where position(convert_to(text, 'UTF8') in body) > 0))`;

/** Whether one of a number may be meant, as an expression; also where too many are unread to look. */
export function mayBeUnread(meant: Meant & { phoneNumberId: string }): RawBuilder<boolean> {
  return sql`(
    select count(*) = ${LOOKED_AT_MAX}
      or coalesce(bool_or(phone_number_id = ${meant.phoneNumberId} and ${isMeant(meant)}), false)
    from unread_events(${meant.tenantId}, ${LOOKED_AT_MAX}))`;
}

/** Those that may be meant, of the first thousand that are unread; in the order of readers. */
export async function findUnread(db: Database, meant: Meant): Promise<UnreadEvent[]> {
  const { rows } = await sql<UnreadEvent>`
    select type, phone_number_id, body from unread_events(${meant.tenantId}, ${LOOKED_AT_MAX})
    where ${isMeant(meant)}`.execute(db);
  return rows;
}
