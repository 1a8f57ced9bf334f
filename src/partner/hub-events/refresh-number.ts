import type { HubChannel } from "../../dialog360/partner-channel.ts";
import { parseHubChannel } from "../../dialog360/partner-channel.ts";
import { announceChange } from "../../store/change-feed.ts";
import type { ApplyPartnerEvent } from "./apply-partner-events.ts";

/** What an event says of its number's state; what it leaves open stays as it is. */
function stateIn(event: string, channel: HubChannel | undefined) {
  return {
    ...(typeof channel?.quality === "string" && { quality: channel.quality }),
    ...(typeof channel?.messagingLimit === "string" && {
      messaging_limit: channel.messagingLimit,
    }),
    ...(event === "account_restriction" && { onboarding_stage: "restricted" as const }),
  };
}

/**
 * Notes on the number how it is: quality, limit, and that it is restricted. Where 360dialog could not be
 * asked, what the event says must do.
 */
export const refreshNumber: ApplyPartnerEvent = async (
  trx,
  { event, data },
  { owner, channel },
) => {
  const phoneNumberId = owner?.phoneNumberId;
  const fields = stateIn(event, channel ?? parseHubChannel(data));
  if (!owner || !phoneNumberId || Object.keys(fields).length === 0) {
    return;
  }
  await trx
    .updateTable("phone_number")
    .set(fields)
    .where("tenant_id", "=", owner.tenantId)
    .where("phone_number_id", "=", phoneNumberId)
    .execute();
  await announceChange(trx, { kind: "tenant", key: owner.tenantId });
};
