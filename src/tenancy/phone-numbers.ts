import { type Selectable, sql } from "kysely";
import { NotFound } from "../errors.ts";
import { announceChange } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import type { PhoneNumberTable } from "../store/schema/tenancy.ts";
import { changedGuards, type GuardsWish } from "./guard-settings.ts";

export type PhoneNumberRow = Selectable<PhoneNumberTable>;

/** `among` is a token's limit to some numbers; `null` means all of the tenant. */
export async function listPhoneNumbers(
  db: Database,
  tenantId: string,
  page: { limit: number; after: string[] | undefined; among: readonly string[] | null },
): Promise<PhoneNumberRow[]> {
  return db
    .selectFrom("phone_number")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .$if(page.among !== null, (q) => q.where("phone_number_id", "in", [...(page.among ?? []), ""]))
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

/** @throws {NotFound} also for a number outside `among` */
export async function getPhoneNumber(
  db: Database,
  tenantId: string,
  options: { phoneNumberId: string; among: readonly string[] | null },
): Promise<PhoneNumberRow> {
  const row = await db
    .selectFrom("phone_number")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("phone_number_id", "=", options.phoneNumberId)
    .executeTakeFirst();
  if (row === undefined || options.among?.includes(row.phone_number_id) === false) {
    throw new NotFound();
  }
  return row;
}

/** @throws {NotFound} also for a number outside `among` */
export async function changeGuards(
  db: Database,
  tenantId: string,
  options: {
    phoneNumberId: string;
    among: readonly string[] | null;
    guards: GuardsWish;
    /** Asked of the row as it is while it is locked; throws where it must not be changed. */
    check: (row: PhoneNumberRow) => void;
  },
): Promise<PhoneNumberRow> {
  const { id } = await getPhoneNumber(db, tenantId, options);
  return db.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom("phone_number")
      .selectAll()
      .where("tenant_id", "=", tenantId)
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirst();
    if (before === undefined) {
      throw new NotFound();
    }
    options.check(before);
    const row = await trx
      .updateTable("phone_number")
      .set({ guards: JSON.stringify(changedGuards(before.guards, options.guards)) })
      .where("tenant_id", "=", tenantId)
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await announceChange(trx, { kind: "tenant", key: tenantId });
    return row;
  });
}

/** Each tenant with a number on this WABA, once. */
export async function findTenantsOfWaba(db: Database, wabaId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("phone_number")
    .select("tenant_id")
    .distinct()
    .where("waba_id", "=", wabaId)
    .execute();
  return rows.map((row) => row.tenant_id);
}

/**
 * 360dialog refused this very key: later calls are answered without asking it. That it did so is written
 * down once, for whoever tells of it and heals it.
 */
export async function markKeyRejected(
  db: Database,
  tenantId: string,
  number: { id: string; apiKeySealed: Buffer | null },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const marked = await trx
      .updateTable("phone_number")
      .set({ state: "key_rejected" })
      .where("tenant_id", "=", tenantId)
      .where("id", "=", number.id)
      .where("state", "=", "running")
      // Not when the key has been replaced since.
      .where("api_key_sealed", "=", number.apiKeySealed)
      .executeTakeFirst();
    if (marked.numUpdatedRows > 0n) {
      await trx
        .insertInto("key_rejection")
        .values({ number_id: number.id })
        .onConflict((conflict) =>
          conflict.column("number_id").doUpdateSet({
            rejected_at: sql`now()`,
            told_at: null,
            heal_count: 0,
            heal_at: sql`now()`,
          }),
        )
        .execute();
      await announceChange(trx, { kind: "tenant", key: tenantId });
    }
  });
}

export function apiKeySealContext(row: { id: string; tenant_id: string }) {
  return { purpose: "api_key", rowId: row.id, tenantId: row.tenant_id } as const;
}
