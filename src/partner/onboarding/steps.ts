import type { Updateable } from "kysely";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { Origins } from "../../dialog360/origins.ts";
import type { PartnerApi } from "../../dialog360/partner.ts";
import { ApiError, InvalidRequest } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import type { OnboardingChannelTable } from "../../store/schema/onboarding.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import type { ConnectNumber } from "../connect-number.ts";
import { insertNumber, type NumberFields, updateNumberAsPartner } from "../numbers.ts";
import { valueOfHubCall } from "../refused-by-hub.ts";
import { findNumberByIdentity } from "./find-number.ts";
import type { OnboardingChannelRow } from "./read-onboardings.ts";

export type StepDeps = {
  db: Database;
  sealer: Sealer;
  connect: ConnectNumber;
  partnerApi: PartnerApi;
  origins: Origins;
};

type At = { row: OnboardingChannelRow; channel: HubChannel };

/** Never for a number that is here already: that would kill the key that it has. */
export async function makeKey(
  { db, sealer, partnerApi, origins }: StepDeps,
  { row, channel }: At,
): Promise<"made" | "linked" | "refused"> {
  const phoneNumberId = valueOfHubCall(await partnerApi.findPhoneNumberId(channel));
  const number = await findNumberByIdentity(db, row, { channel, phoneNumberId });
  if (number !== undefined) {
    if (number.channel_id !== null) {
      throw new ApiError("number_taken", `Number ${number.id} has another channel_id.`);
    }
    await updateNumberAsPartner(db, number, { fields: idsOf(channel) });
    return "linked";
  }
  await change(db, row, { key_begun_at: new Date() });
  const call = await partnerApi.createKey(channel.id);
  if (call.kind === "refused" && (call.status === 403 || call.status === 404)) {
    await change(db, row, { key_begun_at: null });
    return "refused";
  }
  const { apiKey, baseUrl } = valueOfHubCall(call);
  const [usual] = origins.allowed;
  await change(db, row, {
    api_key_sealed: sealer.seal(apiKey, onboardingKeyContext(row)),
    base_url: baseUrl === usual ? null : baseUrl,
  });
  return "made";
}

/** The key tells which number it is of, and the number gets its row. */
export async function bringInNumber(
  { db, sealer, connect }: StepDeps,
  { row, channel }: At,
): Promise<void> {
  if (row.api_key_sealed === null) {
    throw new Error("there is no key to bring a number in with");
  }
  const apiKey = sealer.open(row.api_key_sealed, onboardingKeyContext(row));
  const access = { apiKey, baseUrl: row.base_url };
  const health = await connect.readHealth(access).catch(async (error: unknown) => {
    if (error instanceof InvalidRequest && error.errors?.[0]?.code === "api_key_rejected") {
      // Somebody has made a newer one since. The next try makes another.
      await change(db, row, { api_key_sealed: null, key_begun_at: null });
      throw new ApiError("upstream_unreachable", "360dialog does not take the key that it made.", {
        cause: error,
      });
    }
    throw error;
  });
  const [phoneNumberId] = health.phoneNumberIds;
  if (phoneNumberId === undefined) {
    throw new ApiError(
      "upstream_unreachable",
      "360dialog does not say which number the key is of.",
    );
  }
  const fields: NumberFields = {
    ...idsOf(channel),
    display_phone_number: channel.displayPhoneNumber,
    waba_id: channel.wabaId ?? health.wabaIds[0] ?? null,
    base_url: row.base_url,
  };
  await insertNumber(db, row.tenant_id, { phoneNumberId, fields, apiKey, sealer });
}

/** Its webhooks come here; then it runs. */
export async function connectNumber(
  { db, sealer, connect }: StepDeps,
  number: PhoneNumberRow,
): Promise<void> {
  if (number.api_key_sealed === null) {
    throw new ApiError("api_key_required", `Number ${number.id} has no API key; give it one.`);
  }
  const apiKey = sealer.open(number.api_key_sealed, apiKeySealContext(number));
  await connect.registerHook(number, apiKey);
  await updateNumberAsPartner(db, number, { fields: { state: "running" } });
}

function idsOf({ id, hubClientId }: HubChannel): NumberFields {
  return { channel_id: id, hub_client_id: hubClientId };
}

function onboardingKeyContext(row: OnboardingChannelRow) {
  return {
    purpose: "onboarding_api_key",
    rowId: row.channel_id,
    tenantId: row.tenant_id,
  } as const;
}

async function change(
  db: Database,
  row: OnboardingChannelRow,
  columns: Updateable<OnboardingChannelTable>,
): Promise<void> {
  await db
    .updateTable("onboarding_channel")
    .set(columns)
    .where("channel_id", "=", row.channel_id)
    .where("tenant_id", "=", row.tenant_id)
    .execute();
}
