// How a customer's channels at 360dialog become numbers here.

import type { ColumnType, Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";
import type { OnboardingStage } from "./tenancy.ts";

export interface OnboardingLinkTable {
  id: string;
  tenant_id: string;
  wanted_client_id: string | null;
  created_at: CreatedAt;
  expires_at: Date;
  opened_at: Date | null;
  used_at: Date | null;
  outcome: "accepted" | "needs_confirmation" | "refused" | null;
  refusal: string | null;
  hub_client_id: string | null;
  channel_ids: string[] | null;
}

export interface HubClientBindingTable {
  hub_client_id: string;
  tenant_id: string;
  bound_at: CreatedAt;
  bound_by: string;
}

export interface OnboardingChannelTable {
  channel_id: string;
  hub_client_id: string;
  tenant_id: string;
  stage: Generated<OnboardingStage>;
  heard: Generated<string>;
  hub_status: string | null;
  display_phone_number: string | null;
  seen_at: Date | null;
  /** `Infinity` comes out of PostgreSQL as the number. */
  restricted_until: ColumnType<Date | number | null, Date | number | null, Date | number | null>;
  key_begun_at: Date | null;
  api_key_sealed: Buffer | null;
  base_url: string | null;
  number_id: string | null;
  attempt_count: Generated<number>;
  failure_code: string | null;
  failure: string | null;
  next_try_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  created_at: CreatedAt;
  updated_at: Generated<Date>;
}
