import { type Selectable, sql } from "kysely";
import type { Database } from "../store/database.ts";
import type { OptInTable } from "../store/schema/records.ts";
import { formsOf } from "./users.ts";

export type OptInRow = Selectable<OptInTable>;
type Of = { phoneNumberId: string; user: string };

/** Asked of what is recorded while it is locked; throws where it must not be changed. */
type CheckOptIn = (row: OptInRow | undefined) => void;

/** Writes down that a user agreed, how and when; an older record of the same user is replaced. */
export async function putOptIn(
  db: Database,
  tenantId: string,
  options: Of & { source: string; obtainedAt: Date; proof: string; check?: CheckOptIn },
): Promise<{ optIn: OptInRow; created: boolean }> {
  const { phoneNumberId, user, source, obtainedAt, proof } = options;
  const fields = { source, obtained_at: obtainedAt, proof };
  return db.transaction().execute(async (trx) => {
    const before = await findOptIn(trx, tenantId, options, { locked: true });
    options.check?.(before);
    const { created, ...optIn } = await trx
      .insertInto("opt_in")
      .values({ tenant_id: tenantId, phone_number_id: phoneNumberId, user_id: user, ...fields })
      .onConflict((conflict) =>
        conflict
          .columns(["tenant_id", "phone_number_id", "user_id"])
          .doUpdateSet({ ...fields, recorded_at: sql`now()` }),
      )
      .returningAll()
      // A row that was only updated has the deleting transaction of its older version.
      .returning(sql<boolean>`xmax = 0`.as("created"))
      .executeTakeFirstOrThrow();
    return { optIn, created };
  });
}

export async function findOptIn(
  db: Database,
  tenantId: string,
  { phoneNumberId, user }: Of,
  { locked = false } = {},
): Promise<OptInRow | undefined> {
  return db
    .selectFrom("opt_in")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("phone_number_id", "=", phoneNumberId)
    .where("user_id", "in", formsOf(user))
    .orderBy("obtained_at", "desc")
    .$if(locked, (q) => q.forUpdate())
    .executeTakeFirst();
}

export async function deleteOptIn(
  db: Database,
  tenantId: string,
  of: Of & { check?: CheckOptIn },
): Promise<boolean> {
  const { phoneNumberId, user, check } = of;
  return db.transaction().execute(async (trx) => {
    const before = await findOptIn(trx, tenantId, of, { locked: true });
    if (before === undefined) {
      return false;
    }
    check?.(before);
    const deleted = await trx
      .deleteFrom("opt_in")
      .where("tenant_id", "=", tenantId)
      .where("phone_number_id", "=", phoneNumberId)
      .where("user_id", "in", formsOf(user))
      .executeTakeFirst();
    return deleted.numDeletedRows > 0n;
  });
}
