import { hash } from "node:crypto";
import { sql } from "kysely";
import { writeOwnEvent } from "../../events/write-notifications.ts";
import { ownBody } from "../../fanout/own-events.ts";
import { announceChange } from "../../store/change-feed.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import { auditJob } from "../audit/record-audit.ts";
import { lookAgainAfter, retryAfter } from "./decide.ts";
import type { OnboardingChannelRow } from "./read-onboardings.ts";
import type { Worked } from "./work-channel.ts";

/** Writes down where a channel has come to, on it and its number; what is new is told in the same commit. */
export async function settle(db: Database, worked: Worked): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom("onboarding_channel")
      .selectAll()
      .where("channel_id", "=", worked.row.channel_id)
      .where("tenant_id", "=", worked.row.tenant_id)
      .forUpdate()
      .executeTakeFirst();
    if (before !== undefined) {
      await write(trx, before, worked);
    }
  });
}

async function write(
  trx: DatabaseTransaction,
  before: OnboardingChannelRow,
  worked: Worked,
): Promise<void> {
  const { row, stage, channel, number, failure } = worked;
  const attempts = failure?.passes === true ? before.attempt_count + 1 : 0;
  const after = failure?.passes === true ? retryAfter(attempts) : lookAgainAfter(stage);
  const nextTry = after === null ? null : sql<Date>`now() + make_interval(secs => ${after})`;
  await trx
    .updateTable("onboarding_channel")
    .set({
      stage,
      ...(channel !== undefined && {
        hub_client_id: channel.hubClientId,
        hub_status: channel.status,
        display_phone_number: channel.displayPhoneNumber,
        seen_at: sql`now()`,
      }),
      // The number's row has the key now.
      ...(number !== undefined && { number_id: number.id, api_key_sealed: null, base_url: null }),
      attempt_count: attempts,
      failure_code: failure?.code ?? null,
      failure: failure?.detail ?? null,
      // What was heard meanwhile is looked at at once.
      next_try_at: before.heard === row.heard ? nextTry : sql`now()`,
      updated_at: sql`now()`,
    })
    .where("channel_id", "=", before.channel_id)
    .execute();
  if (number !== undefined) {
    await stampNumber(trx, { id: number.id, tenantId: before.tenant_id, stage });
  }
  const failed = failure !== undefined && failure.code !== before.failure_code && !failure.passes;
  if (stage !== before.stage) {
    await tell(trx, { before, worked, type: `onboarding.${stage}` });
    await auditJob(trx, "onboarding", {
      target: {
        channel_id: before.channel_id,
        tenant_id: before.tenant_id,
        ...(number && { number_id: number.id }),
      },
      before: { onboarding_stage: before.stage },
      after: { onboarding_stage: stage },
    });
  }
  if (failed) {
    await tell(trx, { before, worked, type: "onboarding.failed" });
  }
}

async function stampNumber(
  trx: DatabaseTransaction,
  { id, tenantId, stage }: { id: string; tenantId: string; stage: Worked["stage"] },
): Promise<void> {
  // A channel that is cancelled has no key that works: nothing is to be sent over it.
  const ended = stage === "cancelled";
  const changed = await trx
    .updateTable("phone_number")
    .set({ onboarding_stage: stage, ...(ended && { state: "suspended" }) })
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .where("onboarding_stage", "is distinct from", stage)
    .returning("id")
    .executeTakeFirst();
  if (changed !== undefined) {
    await announceChange(trx, { kind: "tenant", key: tenantId });
  }
}

async function tell(
  trx: DatabaseTransaction,
  { before, worked, type }: { before: OnboardingChannelRow; worked: Worked; type: string },
): Promise<void> {
  const { number, stage, failure } = worked;
  const { tenant_id: tenantId, channel_id: channelId } = before;
  const value = {
    channel_id: channelId,
    client_id: worked.channel?.hubClientId ?? before.hub_client_id,
    stage,
    previous_stage: before.stage,
    number_id: number?.id ?? null,
    phone_number_id: number?.phone_number_id ?? null,
    display_phone_number: worked.channel?.displayPhoneNumber ?? before.display_phone_number,
    failure: failure === undefined ? null : { code: failure.code, detail: failure.detail },
  };
  const about = ["onboarding", channelId, type, before.updated_at.getTime()];
  await writeOwnEvent(trx, {
    tenantId,
    type,
    phoneNumberId: number?.phone_number_id ?? null,
    wabaId: number?.waba_id ?? null,
    identity: hash("sha256", JSON.stringify(about), "buffer"),
    conversation: null,
    body: ownBody(tenantId, type, value),
  });
}
