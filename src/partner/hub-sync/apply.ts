import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { PartnerApi } from "../../dialog360/partner.ts";
import { ApiError, InvalidRequest } from "../../errors.ts";
import { announceChange } from "../../store/change-feed.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { HubDifferenceTable } from "../../store/schema/hub-sync.ts";
import { forgetHooks } from "../../tenancy/hooks.ts";
import { lockNumber } from "../numbers.ts";
import { noteChannel } from "../onboarding/note-channel.ts";
import { valueOfHubCall } from "../refused-by-hub.ts";
import { compareChannels } from "./compare.ts";
import { compareNumber, type Difference } from "./differences.ts";
import { getHubSync } from "./read-syncs.ts";

export type HubDifferenceRow = Selectable<HubDifferenceTable>;

/**
 * Makes it here as it is at 360dialog: all of these differences, or none. Each is looked at anew first.
 * @throws {ApiError} `difference_gone` where one is not so any more, `channel_taken`; {InvalidRequest} for a
 * channel of which no rule says whose it is
 */
export async function applyDifferences(
  db: Database,
  options: { partnerApi: PartnerApi; syncId: string; ids: readonly string[] },
): Promise<HubDifferenceRow[]> {
  const { partnerApi, syncId, ids } = options;
  const { rules } = await getHubSync(db, syncId);
  const agreed = await db
    .selectFrom("hub_difference")
    .selectAll()
    .where("sync_id", "=", syncId)
    .where("id", "=", sql<string>`any (${[...ids]}::text[])`)
    .orderBy("seq")
    .execute();
  refuseGone(ids.filter((id) => !agreed.some((row) => row.id === id)));
  const channels = new Map<string, HubChannel | undefined>();
  for (const channelId of new Set(agreed.map((row) => row.channel_id))) {
    channels.set(channelId, valueOfHubCall(await partnerApi.findChannel(channelId)));
  }
  return db.transaction().execute(async (trx) => {
    const now = new Map<string, Difference>();
    for (const row of agreed) {
      const channel = channels.get(row.channel_id);
      for (const difference of await lookAgain(trx, { row, channel, rules })) {
        now.set(difference.id, difference);
      }
    }
    refuseGone(agreed.flatMap(({ id }) => (now.has(id) ? [] : [id])));
    for (const row of agreed) {
      await applyOne(trx, row);
    }
    return trx
      .updateTable("hub_difference")
      .set({ applied_at: sql<Date>`now()` })
      .where("sync_id", "=", syncId)
      .where("id", "=", sql<string>`any (${[...ids]}::text[])`)
      .returningAll()
      .execute();
  });
}

function refuseGone(ids: readonly string[]): void {
  if (ids.length > 0) {
    const detail = `Not so any more, or not in this comparison: ${ids.join(", ")}. Nothing was applied.`;
    throw new ApiError("difference_gone", detail);
  }
}

async function lookAgain(
  trx: DatabaseTransaction,
  given: {
    row: HubDifferenceRow;
    channel: HubChannel | undefined;
    rules: Parameters<typeof compareChannels>[1]["rules"];
  },
): Promise<Difference[]> {
  const { row, channel, rules } = given;
  if (row.number_id === null) {
    return channel === undefined
      ? []
      : (await compareChannels(trx, { channels: [channel], rules })).differences;
  }
  const number = await trx
    .selectFrom("phone_number")
    .selectAll()
    .where("id", "=", row.number_id)
    .forUpdate()
    .executeTakeFirst();
  return number === undefined ? [] : compareNumber(number, channel);
}

async function applyOne(trx: DatabaseTransaction, row: HubDifferenceRow): Promise<void> {
  switch (row.kind) {
    case "channel_unknown":
      await bindChannel(trx, row);
      break;
    case "channel_gone":
      await changeNumber(trx, row.number_id, { onboarding_stage: "cancelled" });
      break;
    case "field_differs":
      await changeNumber(trx, row.number_id, { [row.field ?? ""]: row.there });
      break;
    default:
      row.kind satisfies never;
  }
}

async function bindChannel(trx: DatabaseTransaction, row: HubDifferenceRow): Promise<void> {
  const { channel_id: id, hub_client_id: hubClientId, matched_tenant_id: tenantId } = row;
  if (tenantId === null || hubClientId === null) {
    const detail = `No rule says whose channel ${id} is: give its tenant the client's id or name first.`;
    throw new InvalidRequest([{ code: "tenant_unclear", pointer: "/apply", detail }]);
  }
  const channel = { id, hubClientId };
  if ((await noteChannel(trx, { channel, tenantId, by: "hub_sync" })) !== "noted") {
    throw new ApiError("channel_taken", `Channel ${id} or its client is another tenant's.`);
  }
}

async function changeNumber(
  trx: DatabaseTransaction,
  numberId: string | null,
  fields: Record<string, string | null>,
): Promise<void> {
  const number = await lockNumber(trx, numberId ?? "");
  await trx.updateTable("phone_number").set(fields).where("id", "=", number.id).execute();
  await announceChange(trx, { kind: "tenant", key: number.tenant_id });
  await forgetHooks(trx, number.id);
}
