import { ApiError, NotFound } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import type { OnboardingLinkRow } from "./links.ts";
import { acceptChannels } from "./take-return.ts";

/**
 * A person says that the client of a return is the tenant's: it is bound, and its channels are brought in.
 * @throws {NotFound} for what does not wait for it; {ApiError} `channel_taken`
 */
export async function confirmLink(
  db: Database,
  { linkId, by }: { linkId: string; by: string },
): Promise<OnboardingLinkRow> {
  return db.transaction().execute(async (trx) => {
    const link = await trx
      .selectFrom("onboarding_link")
      .selectAll()
      .where("id", "=", linkId)
      .forUpdate()
      .executeTakeFirst();
    if (link === undefined || link.hub_client_id === null || link.outcome === "refused") {
      throw new NotFound();
    }
    if (link.outcome === "accepted") {
      return link;
    }
    const { kind } = await acceptChannels(trx, {
      tenantId: link.tenant_id,
      hubClientId: link.hub_client_id,
      channelIds: link.channel_ids ?? [],
      revokedIds: [],
      by,
    });
    if (kind !== "accepted") {
      throw new ApiError("channel_taken", "The client or a channel of it is another tenant's.");
    }
    return trx
      .updateTable("onboarding_link")
      .set({ outcome: "accepted" })
      .where("id", "=", linkId)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}
