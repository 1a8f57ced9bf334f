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
  await db.transaction().execute(async (trx) => {
    const untold = await trx
      .selectFrom("key_rejection as r")
      .innerJoin("phone_number as n", "n.id", "r.number_id")
      .where("r.told_at", "is", null)
      .select(["r.rejected_at", "n.id", "n.tenant_id", "n.phone_number_id", "n.waba_id", "n.state"])
      .limit(100)
      .forUpdate("r")
      .skipLocked()
      .execute();
    for (const { id, tenant_id: tenantId, rejected_at, ...number } of untold) {
      const type = "number.key_rejected";
      const rejectedAt = rejected_at.toISOString();
      const value = { phone_number_id: number.phone_number_id, rejected_at: rejectedAt };
      await writeOwnEvent(trx, {
        tenantId,
        type,
        phoneNumberId: number.phone_number_id,
        wabaId: number.waba_id,
        identity: hash("sha256", JSON.stringify([type, id, rejectedAt]), "buffer"),
        conversation: null,
        body: ownBody(tenantId, type, value),
      });
      await raiseAlert(trx, {
        kind: "key_rejected",
        subject: numberSubject({ id, tenant_id: tenantId, ...number }),
        detail:
          "360dialog refuses the number's API key; calls are answered 502 until it has a new one.",
      });
      await trx
        .updateTable("key_rejection")
        .set({ told_at: sql`now()` })
        .where("number_id", "=", id)
        .execute();
    }
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
