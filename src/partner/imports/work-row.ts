import type { Selectable } from "kysely";
import { timingSafeEqual } from "node:crypto";
import { ApiError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";
import type { ImportRowTable } from "../../store/schema/imports.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import { type BringIn, type BringInWish, numberToBe, readWish } from "../bring-in.ts";
import type { RegionJudge, RegionOwner, RegionWarning } from "../local-storage/region-judge.ts";
import { demandFree } from "./demand-free.ts";
import { rowSealContext } from "./receive.ts";

export type ImportRow = Selectable<ImportRowTable>;

export type RowOutcome = {
  state: "imported" | "unchanged" | "valid";
  numberId: string | null;
  /** Of what the row has brought about, or would. */
  warning?: RegionWarning | undefined;
};

/**
 * Makes what the row says so, whatever an earlier try that was cut off has left: a number that is
 * there already gets the row's key, unless it runs with it.
 * @throws {ApiError} why the row cannot be so
 */
export async function workRow(
  deps: { db: Database; sealer: Sealer; bringIn: BringIn; regions: RegionJudge },
  row: ImportRow,
  { dryRun }: { dryRun: boolean },
): Promise<RowOutcome> {
  const { db, sealer, bringIn, regions } = deps;
  const phoneNumberId = row.phone_number_id ?? "";
  const tenant = await db
    .selectFrom("tenant")
    .select("id")
    .where("external_id", "=", row.tenant_external_id)
    .executeTakeFirst();
  if (tenant === undefined) {
    throw new ApiError("not_found", "There is no tenant with this tenant_external_id.");
  }
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
  const owner = number ?? numberToBe(tenant.id);
  const { fields } = await readWish(regions, owner, row.fields ?? {});
  const checked = { phoneNumberId, fields, apiKey };
  if (dryRun) {
    await demandFree(db, row);
    await bringIn.check(checked);
    const { local_storage_region = owner.local_storage_region } = fields;
    const warning = await findWarning(regions, { ...owner, local_storage_region });
    return { state: "valid", numberId: number?.id ?? null, warning };
  }
  await db
    .updateTable("import_row")
    .set({ begun: true })
    .where("import_id", "=", row.import_id)
    .where("line", "=", row.line)
    .execute();
  const done =
    number === undefined
      ? await bringIn.create(tenant.id, checked)
      : await replaceKey(bringIn, number, checked);
  return { state: "imported", numberId: done.id, warning: await findWarning(regions, done) };
}

async function replaceKey(
  bringIn: BringIn,
  number: PhoneNumberRow,
  { fields, apiKey }: BringInWish,
): Promise<PhoneNumberRow> {
  if (apiKey === undefined) {
    throw new ApiError("api_key_required", "The number is not running: it needs an api_key.");
  }
  const running = { ...fields, onboarding_stage: "running" } as const;
  return bringIn.replaceKey(number, { apiKey, fields: running, actor: null });
}

async function findWarning(
  regions: RegionJudge,
  owner: RegionOwner,
): Promise<RegionWarning | undefined> {
  const warningsOf = await regions.warningsOf([owner]);
  return warningsOf(owner)[0];
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
