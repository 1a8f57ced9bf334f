import { sql } from "kysely";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { DatabaseTransaction } from "../../store/database.ts";
import { bindClient, findOwners } from "./owner-of-client.ts";

/** A channel by its ids alone, as an event or a redirect names it. */
type NamedChannel = Pick<HubChannel, "id" | "hubClientId">;

/**
 * A channel is to be a number of this tenant: its client is bound to the tenant, if it is nobody's yet, and the
 * channel is looked at next. Idempotent. `by` says what bound it: a link's id, a person, `hub_sync`.
 * @returns `channel_taken` where client or channel is another tenant's: then nothing is changed
 */
export async function noteChannel(
  trx: DatabaseTransaction,
  noted: { channel: NamedChannel; tenantId: string; by: string },
): Promise<"noted" | "channel_taken"> {
  const { channel, tenantId, by } = noted;
  const { id, hubClientId } = channel;
  const owners = await findOwners(trx, { hubClientId, channelIds: [id] });
  if ([...owners].some((owner) => owner !== tenantId)) {
    return "channel_taken";
  }
  return (await bindClient(trx, { hubClientId, tenantId, by })) === tenantId &&
    (await lookAt(trx, { channel, tenantId }))
    ? "noted"
    : "channel_taken";
}

/** Has the worker look at a channel of a tenant whose its client is. @returns whether it is the tenant's */
export async function lookAt(
  trx: DatabaseTransaction,
  { channel, tenantId }: { channel: NamedChannel; tenantId: string },
): Promise<boolean> {
  const row = await trx
    .insertInto("onboarding_channel")
    .values({ channel_id: channel.id, hub_client_id: channel.hubClientId, tenant_id: tenantId })
    .onConflict((conflict) =>
      conflict
        .column("channel_id")
        .doUpdateSet({
          hub_client_id: channel.hubClientId,
          heard: sql`onboarding_channel.heard + 1`,
          next_try_at: sql`now()`,
          attempt_count: 0,
        })
        .where("onboarding_channel.tenant_id", "=", tenantId),
    )
    .returning("channel_id")
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * By hand, or because the customer has come again: what is in the way is forgotten, a restriction and that
 * the channel's number was deleted.
 */
export async function beginAnew(trx: DatabaseTransaction, channelId: string): Promise<void> {
  await trx
    .updateTable("onboarding_channel")
    .set({
      heard: sql`heard + 1`,
      next_try_at: sql`now()`,
      attempt_count: 0,
      restricted_until: null,
      number_id: sql`(select id from phone_number where id = number_id)`,
    })
    .where("channel_id", "=", channelId)
    .execute();
}
