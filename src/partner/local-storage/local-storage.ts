import { sql } from "kysely";
import { NotFound } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import type { LocalStorageState } from "../../store/schema/tenancy.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import type { JudgedRegion } from "./region-judge.ts";

/** Of a region that was only set: what was asked and confirmed of another one counts no more. */
export const NOTHING_ASKED = {
  local_storage_state: null,
  local_storage_pin_attempts: 0,
  local_storage_changed_at: sql<Date>`now()`,
};

/** Asks for a region anew. */
export async function requestRegion(
  db: Database,
  number: Pick<PhoneNumberRow, "id">,
  region: JudgedRegion,
): Promise<PhoneNumberRow> {
  return changed(
    await db
      .updateTable("phone_number")
      .set({
        ...NOTHING_ASKED,
        local_storage_region: region,
        local_storage_state: "requested",
      })
      .where("id", "=", number.id)
      // A repeat of what is asked for or confirmed already changes nothing.
      .where(
        sql<boolean>`(local_storage_region is distinct from ${region} or local_storage_state is null)`,
      )
      .returningAll()
      .executeTakeFirst(),
    await findNumber(db, number.id),
  );
}

/** What came of a PIN, for the region that it was given for; another one meanwhile is left alone. */
export async function noteConfirmation(
  db: Database,
  number: Pick<PhoneNumberRow, "id" | "local_storage_region">,
  came: { state: LocalStorageState; pinTried: boolean },
): Promise<PhoneNumberRow> {
  return changed(
    await db
      .updateTable("phone_number")
      .set({
        local_storage_state: came.state,
        local_storage_changed_at: sql`now()`,
        ...(came.pinTried && {
          local_storage_pin_attempts: sql<number>`local_storage_pin_attempts + 1`,
        }),
      })
      .where("id", "=", number.id)
      .where("local_storage_region", "=", number.local_storage_region)
      .returningAll()
      .executeTakeFirst(),
    await findNumber(db, number.id),
  );
}

async function findNumber(db: Database, id: string): Promise<PhoneNumberRow | undefined> {
  return db.selectFrom("phone_number").selectAll().where("id", "=", id).executeTakeFirst();
}

function changed(
  row: PhoneNumberRow | undefined,
  asItIs: PhoneNumberRow | undefined,
): PhoneNumberRow {
  const found = row ?? asItIs;
  if (found === undefined) {
    throw new NotFound();
  }
  return found;
}
