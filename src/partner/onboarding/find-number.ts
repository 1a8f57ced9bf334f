import { sql } from "kysely";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import { ApiError } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import type { OnboardingChannelRow } from "./read-onboardings.ts";

/** @throws {ApiError} `channel_taken` for another tenant's, unless the channel's number was moved there */
export async function findNumberOfChannel(
  db: Database,
  row: OnboardingChannelRow,
): Promise<PhoneNumberRow | undefined> {
  const number = await db
    .selectFrom("phone_number")
    .selectAll()
    .where("channel_id", "=", row.channel_id)
    .executeTakeFirst();
  if (number !== undefined && number.tenant_id !== row.tenant_id) {
    throw new ApiError("channel_taken", "Another tenant has a number with this channel.");
  }
  return number;
}

/**
 * Which number here a channel's is, before a key is made: that would kill the key of a number that is here
 * without its channel.
 * @param phoneNumberId Meta's id, where 360dialog told it; else the number is known by its digits
 * @throws {ApiError} `number_taken` where it is another tenant's, or could be and nobody can tell
 */
export async function findNumberByIdentity(
  db: Database,
  row: OnboardingChannelRow,
  { channel, phoneNumberId }: { channel: HubChannel; phoneNumberId: string | undefined },
): Promise<PhoneNumberRow | undefined> {
  const digits = channel.displayPhoneNumber ?? "";
  const digitsHere = sql<string>`regexp_replace(display_phone_number, '\\D', '', 'g')`;
  const numbers = await db
    .selectFrom("phone_number")
    .selectAll()
    .where((where) =>
      phoneNumberId === undefined
        ? where(digitsHere, "=", digits)
        : where("phone_number_id", "=", phoneNumberId),
    )
    .execute();
  if (numbers.some((number) => number.tenant_id !== row.tenant_id)) {
    throw new ApiError("number_taken", "This phone number is another tenant's here.");
  }
  if (numbers[0] !== undefined || phoneNumberId !== undefined) {
    return numbers[0];
  }
  const nameless = await db
    .selectFrom("phone_number")
    .select("id")
    .where("channel_id", "is", null)
    .where("display_phone_number", "is", null)
    .limit(1)
    .executeTakeFirst();
  if (nameless !== undefined) {
    throw new ApiError(
      "number_taken",
      `360dialog does not tell this channel's phone_number_id, and number ${nameless.id} here has neither channel_id nor display_phone_number: give it one, so that no key of it is killed.`,
    );
  }
  return undefined;
}
