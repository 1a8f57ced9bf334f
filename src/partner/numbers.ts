import { sql } from "kysely";
import { ApiError, NotFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Secret } from "../secret.ts";
import { announceChange } from "../store/change-feed.ts";
import {
  brokenUniqueConstraint,
  type Database,
  type DatabaseTransaction,
} from "../store/database.ts";
import { changedGuards, type GuardsWish } from "../tenancy/guard-settings.ts";
import { forgetHooks } from "../tenancy/hooks.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { NOTHING_ASKED } from "./local-storage/local-storage.ts";
import type { JudgedRegion } from "./local-storage/region-judge.ts";

/** What the partner says of a number; `undefined` leaves it as it is. */
export type NumberFields = {
  display_phone_number?: string | null;
  waba_id?: string | null;
  channel_id?: string | null;
  hub_client_id?: string | null;
  base_url?: string | null;
  throughput?: PhoneNumberRow["throughput"];
  local_storage_region?: JudgedRegion | null;
  state?: PhoneNumberRow["state"];
  onboarding_stage?: PhoneNumberRow["onboarding_stage"];
  guards?: GuardsWish;
};

/** Asked of the row as it is while it is locked; throws where it must not be changed. */
export type CheckNumber = (row: PhoneNumberRow) => void;

/** @throws {ApiError} `number_taken`, `channel_taken`; {NotFound} for a tenant that is gone */
export async function insertNumber(
  db: Database,
  tenantId: string,
  options: {
    phoneNumberId: string;
    fields: Omit<NumberFields, "guards">;
    apiKey: Secret;
    sealer: Sealer;
  },
): Promise<PhoneNumberRow> {
  const { phoneNumberId, fields, apiKey, sealer } = options;
  const key = { id: newId("num"), tenant_id: tenantId };
  return refuseTaken(
    db.transaction().execute(async (trx) => {
      const row = await trx
        .insertInto("phone_number")
        .values({
          ...key,
          phone_number_id: phoneNumberId,
          ...fields,
          api_key_sealed: sealer.seal(apiKey, apiKeySealContext(key)),
          key_last4: lastFour(apiKey),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await announceChange(trx, { kind: "tenant", key: tenantId });
      return row;
    }),
  );
}

/** @throws {NotFound} */
export async function getNumberAsPartner(db: Database, numberId: string): Promise<PhoneNumberRow> {
  const row = await db
    .selectFrom("phone_number")
    .selectAll()
    .where("id", "=", numberId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new NotFound();
  }
  return row;
}

export async function listNumbersAsPartner(
  db: Database,
  page: { limit: number; after: string[] | undefined; tenantId: string | undefined },
): Promise<PhoneNumberRow[]> {
  return db
    .selectFrom("phone_number")
    .selectAll()
    .$if(page.tenantId !== undefined, (q) => q.where("tenant_id", "=", page.tenantId ?? ""))
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

/**
 * Writes fields, and a new key where there is one, and makes every process forget the old ones.
 * @throws {NotFound} when the number is gone; {ApiError} `channel_taken`
 */
export async function updateNumberAsPartner(
  db: Database,
  number: PhoneNumberRow,
  options: {
    fields: NumberFields;
    newKey?: { apiKey: Secret; sealer: Sealer } | undefined;
    check?: CheckNumber | undefined;
    /** Done in the same transaction. */
    also?: (trx: DatabaseTransaction, row: PhoneNumberRow) => Promise<void>;
  },
): Promise<PhoneNumberRow> {
  const { newKey, check, also } = options;
  const { guards, ...fields } = options.fields;
  return refuseTaken(
    db.transaction().execute(async (trx) => {
      const before = await lockNumber(trx, number.id);
      check?.(before);
      // Sealed for the tenant whose it is now: it may have moved since it was read.
      const key = newKey && {
        api_key_sealed: newKey.sealer.seal(newKey.apiKey, apiKeySealContext(before)),
        key_last4: lastFour(newKey.apiKey),
        key_made_at: sql<Date>`now()`,
      };
      const region = fields.local_storage_region;
      const columns = {
        ...fields,
        ...key,
        ...(guards && { guards: JSON.stringify(changedGuards(before.guards, guards)) }),
        ...(region !== undefined && region !== before.local_storage_region && NOTHING_ASKED),
      };
      if (Object.keys(columns).length === 0) {
        return before;
      }
      const row = await trx
        .updateTable("phone_number")
        .set(columns)
        .where("id", "=", number.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      await announceChange(trx, { kind: "tenant", key: before.tenant_id });
      await forgetHooks(trx, number.id);
      await also?.(trx, row);
      return row;
    }),
  );
}

/** The number, its key and its hooks; its events and deliveries stay the tenant's. */
export async function deleteNumberAsPartner(
  db: Database,
  number: PhoneNumberRow,
  check?: CheckNumber,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const before = await lockNumber(trx, number.id);
    check?.(before);
    await trx.deleteFrom("phone_number").where("id", "=", number.id).execute();
    await announceChange(trx, { kind: "tenant", key: before.tenant_id });
    await forgetHooks(trx, number.id);
  });
}

/** @throws {NotFound} */
export async function lockNumber(
  trx: DatabaseTransaction,
  numberId: string,
): Promise<PhoneNumberRow> {
  const row = await trx
    .selectFrom("phone_number")
    .selectAll()
    .where("id", "=", numberId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) {
    throw new NotFound();
  }
  return row;
}

const SHOWN_FROM_LENGTH = 12;

/** Of a short key even four characters would be too much. */
export function lastFour(apiKey: Secret): string | null {
  const key = apiKey.reveal();
  return key.length >= SHOWN_FROM_LENGTH ? key.slice(-4) : null;
}

async function refuseTaken<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    const broken = brokenUniqueConstraint(error);
    if (broken === "number_taken") {
      const detail = "This phone_number_id is already registered here.";
      throw new ApiError("number_taken", detail, { cause: error });
    }
    if (broken === "channel_taken") {
      throw new ApiError("channel_taken", "Another number has this channel_id.", { cause: error });
    }
    throw error;
  }
}
