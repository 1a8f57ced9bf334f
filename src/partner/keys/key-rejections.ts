import { hash } from "node:crypto";
import { sql } from "kysely";
import { writeOwnEvent } from "../../events/write-notifications.ts";
import { ownBody } from "../../fanout/own-events.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import { clearAlert, numberSubject, raiseAlert } from "../alerts/alerts.ts";

/** Whether there is a refused key to tell of or to replace; for a look once a second. */
export const REJECTION_DUE = sql<boolean>`exists (
  select from key_rejection where told_at is null
  union all select from key_rejection where heal_at < now())`;

/** Tells of each refused key once: its tenant by an event, and people by an alert. */
export async function tellRejections(db: Database): Promise<void> {
  const untold = await db
    .selectFrom("key_rejection")
    .select("number_id")
    .where("told_at", "is", null)
    .execute();
  for (const { number_id } of untold) {
    await db.transaction().execute((trx) => tellOne(trx, number_id));
  }
}

async function tellOne(trx: DatabaseTransaction, numberId: string): Promise<void> {
  // The number first, as whoever gives it another key does.
  const number = await trx
    .selectFrom("phone_number")
    .selectAll()
    .where("id", "=", numberId)
    .forUpdate()
    .executeTakeFirst();
  const told = await trx
    .updateTable("key_rejection")
    .set({ told_at: sql`now()` })
    .where("number_id", "=", numberId)
    .where("told_at", "is", null)
    .returning("rejected_at")
    .executeTakeFirst();
  if (number === undefined || told === undefined) {
    return;
  }
  const { tenant_id: tenantId, phone_number_id: phoneNumberId } = number;
  const type = "number.key_rejected";
  const rejectedAt = told.rejected_at.toISOString();
  const value = { phone_number_id: phoneNumberId, rejected_at: rejectedAt };
  await writeOwnEvent(trx, {
    tenantId,
    type,
    phoneNumberId,
    wabaId: number.waba_id,
    identity: hash("sha256", JSON.stringify([type, numberId, rejectedAt]), "buffer"),
    conversation: null,
    body: ownBody(tenantId, type, value),
  });
  await raiseAlert(trx, {
    kind: "key_rejected",
    subject: numberSubject(number),
    detail:
      "360dialog refuses the number's API key; calls are answered 502 until it has a new one.",
  });
}

/** The number has another key, in the transaction of that: its rejection is over, and so is the alert. */
export async function endRejection(
  trx: DatabaseTransaction,
  number: Pick<PhoneNumberRow, "id" | "tenant_id" | "phone_number_id">,
): Promise<void> {
  await trx.deleteFrom("key_rejection").where("number_id", "=", number.id).execute();
  await clearAlert(trx, { kind: "key_rejected", subject: numberSubject(number) });
}
