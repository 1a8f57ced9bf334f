import { hash } from "node:crypto";
import { type Selectable, sql } from "kysely";
import { NO_TENANT, writeOwnEvent } from "../../events/write-notifications.ts";
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
  owner: Owner | undefined,
) => Promise<void>;

/**
 * Applies the oldest partner event that waits, of several processes each another one: it becomes an
 * event of its tenant, or one without an owner. One that cannot be applied is kept with the reason,
 * and told to `onError`; trouble of the database that passes leaves it waiting.
 * @returns whether there was one
 */
export async function applyNextPartnerEvent(options: {
  db: Database;
  apply: ApplyPartnerEvent;
  onError: (error: unknown) => void;
}): Promise<boolean> {
  const { db, apply, onError } = options;
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom("partner_event")
      .selectAll()
      .where("applied_at", "is", null)
      .orderBy("seq")
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (row === undefined) {
      return false;
    }
    const failure = await applyOne(trx, row, apply).catch(async (error: unknown) => {
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
  row: Selectable<PartnerEventTable>,
  apply: ApplyPartnerEvent,
): Promise<null> {
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
  await apply(trx, event, owner);
  return null;
}
