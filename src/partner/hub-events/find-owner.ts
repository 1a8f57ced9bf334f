import type { DatabaseTransaction } from "../../store/database.ts";
import { findBinding } from "../onboarding/owner-of-client.ts";
import type { PartnerEvent } from "./partner-event.ts";

/** Whom a partner event concerns; number and WABA only where it is about one number's channel. */
export type Owner = { tenantId: string; phoneNumberId: string | null; wabaId: string | null };

/** By the channel's number; else by the client: whose it is bound to be, or if all that is known of it is one tenant's. */
export async function findOwner(
  trx: DatabaseTransaction,
  { channelId, hubClientId }: PartnerEvent,
): Promise<Owner | undefined> {
  const number =
    channelId === null
      ? undefined
      : await trx
          .selectFrom("phone_number")
          .select(["tenant_id", "phone_number_id", "waba_id"])
          .where("channel_id", "=", channelId)
          .executeTakeFirst();
  if (number !== undefined) {
    const { tenant_id: tenantId, phone_number_id: phoneNumberId, waba_id: wabaId } = number;
    return { tenantId, phoneNumberId, wabaId };
  }
  if (hubClientId === null) {
    return undefined;
  }
  const bound = await findBinding(trx, hubClientId);
  if (bound !== undefined) {
    return { tenantId: bound, phoneNumberId: null, wabaId: null };
  }
  const tenants = await trx
    .selectFrom("phone_number")
    .select("tenant_id")
    .distinct()
    .where("hub_client_id", "=", hubClientId)
    .limit(2)
    .execute();
  const [only, other] = tenants;
  return only === undefined || other !== undefined
    ? undefined
    : { tenantId: only.tenant_id, phoneNumberId: null, wabaId: null };
}
