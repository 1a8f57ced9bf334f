import { sql } from "kysely";
import { RECORDS_FOLLOWER } from "../../records/follow-events.ts";
import type { Database } from "../../store/database.ts";
import { eraseAnswers } from "./erase-answers.ts";
import { type ErasedEvents, eraseEvents, type ErasureScope } from "./erase-events.ts";
import { type ErasedKnown, eraseKnown } from "./erase-known.ts";
import { eraseMessages } from "./erase-messages.ts";
import { mentionsOf } from "./mentions.ts";

/** How much of each was erased. */
export type Erased = ErasedEvents & ErasedKnown & { messages: number };

/**
 * Erases all that a tenant has of one user, but for counts: usage and the ledger do not change, and
 * what was seen stays known by its digest, so that a repeat brings nothing back. Phone number and
 * BSUID go both, where an event has told that they are of one user. Safe to repeat, and to be cut off:
 * what was erased is passed over by the next one.
 */
export async function eraseUser(
  db: Database,
  scope: ErasureScope & { user: string },
): Promise<Erased> {
  const users = new Set([scope.user]);
  const events: ErasedEvents = { events: 0, deliveries: 0, statuses: 0, media_ids: 0 };
  for (let learnt = true; learnt;) {
    const mentions = mentionsOf(users);
    const found = await eraseEvents(db, { ...scope, users, mentions });
    for (const name of Object.keys(events) as (keyof ErasedEvents)[]) {
      events[name] += found.erased[name];
    }
    learnt = found.learnt;
  }
  const mentions = mentionsOf(users);
  const messages = await eraseMessages(db, { ...scope, mentions });
  await eraseAnswers(db, { ...scope, needles: mentions.needles });
  const known = await eraseKnown(db, { ...scope, needles: mentions.needles });
  return { ...events, ...known, statuses: events.statuses + known.statuses, messages };
}

/** Whether all that came until then has been counted: what is erased before would be missing there. */
export async function isFollowed(
  db: Database,
  { tenantId, until }: Pick<ErasureScope, "tenantId" | "until">,
): Promise<boolean> {
  const { rows } = await sql<{ waits: boolean }>`
    select exists (
      select from event where tenant_id = ${tenantId} and received_at <= ${until} and (xid, seq) > (
        coalesce((select xid from follower where name = ${RECORDS_FOLLOWER}), '0'),
        coalesce((select seq from follower where name = ${RECORDS_FOLLOWER}), 0))
    ) as waits`.execute(db);
  return rows[0]?.waits !== true;
}
