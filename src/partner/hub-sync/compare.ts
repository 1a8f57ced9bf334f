import { sql } from "kysely";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { MatchRule } from "../../store/schema/hub-sync.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import { compareNumber, type Difference, digitsOf, unknownChannel } from "./differences.ts";
import { matchTenants } from "./match-tenants.ts";

/** What of these channels is not as it is here, and which numbers they belong to. */
export async function compareChannels(
  db: Database | DatabaseTransaction,
  { channels, rules }: { channels: readonly HubChannel[]; rules: readonly MatchRule[] },
): Promise<{ differences: Difference[]; numberIds: string[] }> {
  const numberOf = await findNumbers(db, channels);
  const unknown = channels.filter((channel) => numberOf(channel) === undefined);
  const matchOf = await matchTenants(db, { channels: unknown, rules });
  const differences = channels.flatMap((channel) => {
    const number = numberOf(channel);
    return number === undefined
      ? unknownChannel(channel, matchOf(channel))
      : compareNumber(number, channel);
  });
  return { differences, numberIds: channels.flatMap((channel) => numberOf(channel)?.id ?? []) };
}

/** By the channel; else by the phone number, of a number that has no channel yet. */
async function findNumbers(
  db: Database | DatabaseTransaction,
  channels: readonly HubChannel[],
): Promise<(channel: HubChannel) => PhoneNumberRow | undefined> {
  const phones = channels.flatMap(({ displayPhoneNumber: phone }) =>
    phone === null ? [] : [phone],
  );
  const digits = sql<string>`regexp_replace(display_phone_number, '\\D', '', 'g')`;
  const rows = await db
    .selectFrom("phone_number")
    .selectAll()
    .where((where) =>
      where.or([
        where("channel_id", "=", sql<string>`any (${channels.map(({ id }) => id)}::text[])`),
        where("channel_id", "is", null).and(digits, "=", sql<string>`any (${phones}::text[])`),
      ]),
    )
    .execute();
  const byChannel = new Map(rows.map((row) => [row.channel_id, row]));
  const loose = Map.groupBy(
    rows.filter((row) => row.channel_id === null),
    (row) => digitsOf(row.display_phone_number ?? ""),
  );
  return (channel) => {
    const [only, another] = loose.get(channel.displayPhoneNumber ?? "") ?? [];
    return byChannel.get(channel.id) ?? (another === undefined ? only : undefined);
  };
}
