import type { Selectable } from "kysely";
import type { Schemas } from "../../http/contract-types.ts";
import type { Database } from "../../store/database.ts";
import type { OnboardingChannelTable } from "../../store/schema/onboarding.ts";

export type OnboardingChannelRow = Selectable<OnboardingChannelTable>;

export async function findOnboarding(
  db: Database,
  channelId: string,
): Promise<OnboardingChannelRow | undefined> {
  return db
    .selectFrom("onboarding_channel")
    .selectAll()
    .where("channel_id", "=", channelId)
    .executeTakeFirst();
}

export async function listOnboardings(
  db: Database,
  page: { limit: number; after: string[] | undefined; tenantId: string | undefined },
): Promise<OnboardingChannelRow[]> {
  return db
    .selectFrom("onboarding_channel")
    .selectAll()
    .$if(page.tenantId !== undefined, (q) => q.where("tenant_id", "=", page.tenantId ?? ""))
    .$if(page.after !== undefined, (q) => q.where("channel_id", ">", page.after?.[0] ?? ""))
    .orderBy("channel_id")
    .limit(page.limit + 1)
    .execute();
}

export function presentOnboarding(row: OnboardingChannelRow): Schemas["Onboarding"] {
  return {
    channel_id: row.channel_id,
    client_id: row.hub_client_id,
    tenant_id: row.tenant_id,
    stage: row.stage,
    display_phone_number: row.display_phone_number,
    number_id: row.number_id,
    failure:
      row.failure_code === null
        ? null
        : { code: row.failure_code, detail: row.failure ?? row.failure_code },
    seen_at: row.seen_at?.toISOString() ?? null,
    next_try_at: row.next_try_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
