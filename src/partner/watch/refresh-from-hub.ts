import { hash } from "node:crypto";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import { writeOwnEvent } from "../../events/write-notifications.ts";
import { ownBody } from "../../fanout/own-events.ts";
import { announceChange } from "../../store/change-feed.ts";
import type { DatabaseTransaction } from "../../store/database.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import { auditJob } from "../audit/record-audit.ts";
import { lockNumber } from "../numbers.ts";

const LEARNT = [
  { column: "quality", type: "number.quality_changed" },
  { column: "messaging_limit", type: "number.limit_changed" },
] as const;

/**
 * Notes the quality and limit that 360dialog tells of the number's channel. What was another before is
 * told to the tenant; what was not known is only noted.
 */
export async function refreshFromHub(
  trx: DatabaseTransaction,
  numberId: string,
  channel: HubChannel,
): Promise<void> {
  const row = await lockNumber(trx, numberId);
  const told = { quality: channel.quality, messaging_limit: channel.messagingLimit };
  const changed = LEARNT.filter(
    ({ column }) => told[column] !== null && told[column] !== row[column],
  );
  if (changed.length === 0 || row.channel_id !== channel.id) {
    return;
  }
  const after = Object.fromEntries(changed.map(({ column }) => [column, told[column]]));
  const before = Object.fromEntries(changed.map(({ column }) => [column, row[column]]));
  await trx.updateTable("phone_number").set(after).where("id", "=", numberId).execute();
  await announceChange(trx, { kind: "tenant", key: row.tenant_id });
  await auditJob(trx, "watch", { target: { number_id: numberId }, before, after });
  for (const { column, type } of changed) {
    if (row[column] !== null) {
      await tell(trx, row, { type, value: { [column]: told[column], before: row[column] } });
    }
  }
}

async function tell(
  trx: DatabaseTransaction,
  row: PhoneNumberRow,
  { type, value }: { type: string; value: object },
): Promise<void> {
  const { tenant_id: tenantId, phone_number_id: phoneNumberId, waba_id: wabaId } = row;
  const changedAt = new Date().toISOString();
  const body = ownBody(tenantId, type, {
    phone_number_id: phoneNumberId,
    ...value,
    changed_at: changedAt,
  });
  const identity = hash("sha256", body, "buffer");
  await writeOwnEvent(trx, {
    tenantId,
    type,
    phoneNumberId,
    wabaId,
    identity,
    conversation: null,
    body,
  });
}
