import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { PartnerApi } from "../../dialog360/partner.ts";
import type { Database } from "../../store/database.ts";

/** Asks 360dialog for a channel as it is now, if it is one of a number here. */
export function createSeeChannel(options: {
  db: Database;
  partnerApi: PartnerApi | undefined;
}): (channelId: string | null) => Promise<HubChannel | undefined> {
  const { db, partnerApi } = options;
  return async (channelId) => {
    if (partnerApi === undefined || channelId === null) {
      return undefined;
    }
    const number = await db
      .selectFrom("phone_number")
      .select("id")
      .where("channel_id", "=", channelId)
      .executeTakeFirst();
    if (number === undefined) {
      return undefined;
    }
    const call = await partnerApi.findChannel(channelId);
    return call.kind === "ok" ? call.value : undefined;
  };
}
