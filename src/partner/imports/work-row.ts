import type { Selectable } from "kysely";
import { timingSafeEqual } from "node:crypto";
import { ApiError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";
import type { ImportRowTable } from "../../store/schema/imports.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import { type BringIn, readWish } from "../bring-in.ts";
import { demandFree } from "./demand-free.ts";
import { rowSealContext } from "./receive.ts";

export type ImportRow = Selectable<ImportRowTable>;

export type RowOutcome = { state: "imported" | "unchanged" | "valid"; numberId: string | null };

/**
 * Makes what the row says so, whatever an earlier try that was cut off has left: a number that is
 * there already gets the row's key, unless it runs with it.
 * @throws {ApiError} why the row cannot be so
 */
export async function workRow(
  { db, sealer, bringIn }: { db: Database; sealer: Sealer; bringIn: BringIn },
  row: ImportRow,
  { dryRun }: { dryRun: boolean },
): Promise<RowOutcome> {
  const phoneNumberId = row.phone_number_id ?? "";
  const tenant = await db
    .selectFrom("tenant")
    .select("id")
    .where("external_id", "=", row.tenant_external_id)
    .executeTakeFirst();
  if (tenant === undefined) {
    throw new ApiError("not_found", "There is no tenant with this tenant_external_id.");
  }
  const { fields } = readWish(row.fields ?? {});
  const apiKey =
    row.api_key_sealed === null
      ? undefined
      : sealer.open(row.api_key_sealed, rowSealContext(row.import_id, row.line));
  const number = await db
    .selectFrom("phone_number")
    .selectAll()
    .where("phone_number_id", "=", phoneNumberId)
    .executeTakeFirst();
  if (number !== undefined && number.tenant_id !== tenant.id) {
    throw new ApiError("number_taken", "This phone_number_id is already registered here.");
  }
  const runs =
    number?.state === "running" && (apiKey === undefined || hasKey(sealer, number, apiKey));
  if (runs && !row.begun) {
    return { state: "unchanged", numberId: number.id };
  }
  const checked = { phoneNumberId, fields, apiKey };
  if (dryRun) {
    await demandFree(db, row);
    await bringIn.check(checked);
    return { state: "valid", numberId: number?.id ?? null };
  }
  await db
    .updateTable("import_row")
    .set({ begun: true })
    .where("import_id", "=", row.import_id)
    .where("line", "=", row.line)
    .execute();
  if (number === undefined) {
    return { state: "imported", numberId: (await bringIn.create(tenant.id, checked)).id };
  }
  if (apiKey === undefined) {
    throw new ApiError("api_key_required", "The number is not running: it needs an api_key.");
  }
  const running = { ...fields, onboarding_stage: "running" } as const;
  const replaced = await bringIn.replaceKey(number, { apiKey, fields: running, actor: null });
  return { state: "imported", numberId: replaced.id };
}

function hasKey(sealer: Sealer, number: PhoneNumberRow, apiKey: Secret): boolean {
  if (number.api_key_sealed === null) {
    return false;
  }
  const [own, given] = [sealer.open(number.api_key_sealed, apiKeySealContext(number)), apiKey].map(
    (key) => Buffer.from(key.reveal()),
  );
  return own?.length === given?.length && timingSafeEqual(own ?? Buffer.of(), given ?? Buffer.of());
}
