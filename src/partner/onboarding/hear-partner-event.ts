import type { ApplyPartnerEvent } from "../hub-events/apply-partner-events.ts";
import type { PartnerEvent } from "../hub-events/partner-event.ts";
import { lookAt } from "./note-channel.ts";
import { findBinding } from "./owner-of-client.ts";

/**
 * An event of a channel only says that there is something to see: what is so is read from 360dialog. But for
 * a restriction, which the channel there does not show.
 */
export const hearPartnerEvent: ApplyPartnerEvent = async (trx, event) => {
  const { channelId, hubClientId } = event;
  if (channelId === null) {
    return;
  }
  const known = await trx
    .selectFrom("onboarding_channel")
    .select(["tenant_id", "hub_client_id"])
    .where("channel_id", "=", channelId)
    .executeTakeFirst();
  // A channel that a bound client adds is its tenant's.
  const tenantId =
    known?.tenant_id ?? (hubClientId === null ? undefined : await findBinding(trx, hubClientId));
  const client = known?.hub_client_id ?? hubClientId;
  if (tenantId === undefined || client === null) {
    return;
  }
  await lookAt(trx, { channel: { id: channelId, hubClientId: client }, tenantId });
  const until = restrictedUntil(event);
  if (until !== undefined) {
    await trx
      .updateTable("onboarding_channel")
      .set({ restricted_until: until })
      .where("channel_id", "=", channelId)
      .execute();
  }
};

/** Where it is not said (`restriction_info[].expiration`, Unix seconds, in Meta's words): for good. */
function restrictedUntil({ event, data }: PartnerEvent): Date | number | undefined {
  if (event !== "account_restriction") {
    return undefined;
  }
  const info: unknown[] = Array.isArray(data["restriction_info"]) ? data["restriction_info"] : [];
  const ends = info.map((one) => Number((one as { expiration?: unknown } | null)?.expiration));
  const last = Math.max(...ends);
  return ends.length > 0 && last > 0 && last < 1e11 ? new Date(last * 1000) : Infinity;
}
