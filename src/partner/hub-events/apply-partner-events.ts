import { hash } from "node:crypto";
import { type Selectable, sql } from "kysely";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import { NO_TENANT } from "../../events/no-tenant.ts";
import { writeOwnEvent } from "../../events/write-notifications.ts";
import { ownBody } from "../../fanout/own-events.ts";
import { type Database, type DatabaseTransaction, isPassingTrouble } from "../../store/database.ts";
import type { PartnerEventTable } from "../../store/schema/partner.ts";
import { findOwner, type Owner } from "./find-owner.ts";
import { type PartnerEvent, parsePartnerEvent } from "./partner-event.ts";
import { typeOf, valueOf } from "./tenant-event.ts";

/** What else an event changes, in the transaction that notes it as applied; must be idempotent. */
export type ApplyPartnerEvent = (
  trx: DatabaseTransaction,
  event: PartnerEvent,
  about: {
    owner: Owner | undefined;
    /** As 360dialog has it now; `undefined` where it was not asked or did not say. */
    channel: HubChannel | undefined;
  },
) => Promise<void>;

/** Whether an event waits; for a look once a second. */
export const SOMETHING_TO_APPLY = sql<boolean>`
  select exists (select from partner_event where applied_at is null)`;

/**
 * Applies the oldest partner event that waits: it becomes an
 * event of its tenant, or one without an owner. One that cannot be applied is kept with the reason,
 * and told to `onError`; trouble of the database that passes leaves it waiting. Events come in any
 * order, and old ones late: what they change is read from 360dialog when they are applied.
 * @returns whether there was one
 */
export async function applyNextPartnerEvent(options: {
  db: Database;
  apply: ApplyPartnerEvent;
  seeChannel: (channelId: string | null) => Promise<HubChannel | undefined>;
  onError: (error: unknown) => void;
}): Promise<boolean> {
  const { db, apply, seeChannel, onError } = options;
  const waiting = await db
    .selectFrom("partner_event")
    .select(["identity", "channel_id"])
    .where("applied_at", "is", null)
    .orderBy("seq")
    .limit(1)
    .executeTakeFirst();
  if (waiting === undefined) {
    return false;
  }
  const channel = await seeChannel(waiting.channel_id);
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom("partner_event")
      .selectAll()
      .where("identity", "=", waiting.identity)
      .where("applied_at", "is", null)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) {
      // Another process was faster; there may be more.
      return true;
    }
    const failure = await applyOne(trx, { row, channel, apply }).catch(async (error: unknown) => {
      if (isPassingTrouble(error)) {
        throw error;
      }
      await sql`rollback to savepoint before_partner_event`.execute(trx);
      onError(new Error(`partner event ${row.seq} cannot be applied`, { cause: error }));
      return error instanceof Error ? error.message : String(error);
    });
    await trx
      .updateTable("partner_event")
      .set({ applied_at: sql`now()`, failure })
      .where("identity", "=", row.identity)
      .execute();
    return true;
  });
}

async function applyOne(
  trx: DatabaseTransaction,
  given: {
    row: Selectable<PartnerEventTable>;
    channel: HubChannel | undefined;
    apply: ApplyPartnerEvent;
  },
): Promise<null> {
  const { row, channel, apply } = given;
  await sql`savepoint before_partner_event`.execute(trx);
  const event = parsePartnerEvent(row.body);
  const owner = await findOwner(trx, event);
  const tenantId = owner?.tenantId ?? NO_TENANT;
  const type = typeOf(event.event);
  await writeOwnEvent(trx, {
    tenantId,
    type,
    phoneNumberId: owner?.phoneNumberId ?? null,
    wabaId: owner?.wabaId ?? null,
    identity: hash("sha256", JSON.stringify(["partner", event.identity.toString("hex")]), "buffer"),
    conversation: null,
    body: ownBody(tenantId, type, valueOf(event)),
  });
  await apply(trx, event, { owner, channel });
  return null;
}

const PRUNE_AT_ONCE = 2000;

/**
 * Forgets events that were applied before then; one that waits stays. A repeat of one so old would be
 * taken for new, as 360dialog repeats for seven days at most. Called once an hour.
 */
export async function prunePartnerEvents(
  db: Database,
  { before }: { before: Date },
): Promise<void> {
  const { numAffectedRows } = await sql`
    delete from partner_event where identity in (
      select identity from partner_event where received_at < ${before} and applied_at is not null
      order by received_at limit ${PRUNE_AT_ONCE})`.execute(db);
  if (Number(numAffectedRows ?? 0) === PRUNE_AT_ONCE) {
    await prunePartnerEvents(db, { before });
  }
}
