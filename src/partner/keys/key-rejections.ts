import { hash } from "node:crypto";
import { sql } from "kysely";
import { writeOwnEvent } from "../../events/write-notifications.ts";
import { ownBody } from "../../fanout/own-events.ts";
import type { Database } from "../../store/database.ts";
import { ignoreKnown, type RotateKey } from "./rotate-key.ts";

/** After each try that did not heal it; then it is left to people. */
const HEAL_AFTER_SECONDS = [60, 600, 3600, 21_600];

/** Whether there is a refused key to tell of or to replace; for a look once a second. */
export const REJECTION_DUE = sql<boolean>`exists (
  select from key_rejection where told_at is null
  union all select from key_rejection where heal_at < now())`;

/** Tells of each refused key once: by an event for its tenant. */
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
      await trx
        .updateTable("key_rejection")
        .set({ told_at: sql`now()` })
        .where("number_id", "=", id)
        .execute();
    }
  });
}

/** Makes a new key for the next number that waits for one, if any; when to try again is written down first. */
export async function healNext(db: Database, rotateKey: RotateKey): Promise<boolean> {
  const after = sql`(${sql.val(HEAL_AFTER_SECONDS)}::int[])[heal_count + 1]`;
  const { rows } = await sql<{ number_id: string; state: string }>`
    update key_rejection r set heal_count = heal_count + 1,
      heal_at = now() + make_interval(secs => ${after})
    from phone_number n
    where n.id = r.number_id and r.number_id = (
      select number_id from key_rejection where heal_at < now() and told_at is not null
      order by heal_at limit 1 for update skip locked)
    returning r.number_id, n.state`.execute(db);
  const [due] = rows;
  if (due?.state === "key_rejected") {
    const wish = { reason: "healing", actor: null, jobId: null } as const;
    await ignoreKnown(rotateKey.rotate(due.number_id, { wish }));
  }
  return due !== undefined;
}
