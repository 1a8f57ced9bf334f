// What events mean, and what became of sends.

import type { ColumnType, Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export interface FollowerTable {
  name: string;
  xid: string;
  seq: string;
}

interface UserKey {
  tenant_id: string;
  phone_number_id: string;
  /** A phone number in digits, or a business-scoped id. */
  user_id: string;
}

export interface CustomerServiceWindowTable extends UserKey {
  last_inbound_at: Date;
}

export interface OptInTable extends UserKey {
  source: string;
  obtained_at: Date;
  proof: string;
  recorded_at: Generated<Date>;
}

export interface MarketingPreferenceTable extends UserKey {
  stopped_at: Date | null;
  resumed_at: Date | null;
}

export interface DestinationRuleTable {
  id: string;
  country: string;
  effect: "blocked" | "marketing_blocked";
  from_at: Date;
  until_at: Date | null;
  note: string | null;
  created_at: CreatedAt;
}

export interface TemplateTable {
  tenant_id: string;
  waba_id: string;
  name: string;
  language: string;
  category: string | null;
  status: string | null;
  quality: string | null;
  components: ColumnType<unknown, string | null | undefined, string | null>;
  external_id: string | null;
  changed_at: Date;
  synced_at: Date | null;
}

export interface TemplateSyncTable {
  tenant_id: string;
  waba_id: string;
  asked_at: Generated<Date>;
  next_at: Generated<Date>;
  synced_at: Date | null;
  failed_count: Generated<number>;
  failure: string | null;
}

export type MessageState = "sending" | "accepted" | "refused" | "unknown" | "unresolved";

export interface MessageTable {
  tenant_id: string;
  id: string;
  xid: Generated<string>;
  seq: Generated<string>;
  phone_number_id: string;
  client_id: string;
  operation: string;
  recipient: string | null;
  recipient_key: string | null;
  type: string | null;
  callback_data: string | null;
  content_type: string | null;
  body: Buffer;
  state: MessageState;
  answer_status: number | null;
  answer_content_type: string | null;
  answer_body: Buffer | null;
  wamid: string | null;
  created_at: Date;
  answered_at: Date | null;
  resolved_at: Date | null;
}

export interface MessageStatusTable {
  tenant_id: string;
  phone_number_id: string;
  wamid: string;
  status: string;
  recipient: string;
  day: Generated<string>;
  recipient_key: string | null;
  user_key: string | null;
  callback_data: string | null;
  happened_at: Date;
  received_at: Date;
  event_id: string;
  errors: string | null;
  pricing: string | null;
}

export interface MediaIdTable {
  tenant_id: string;
  media_id: string;
  phone_number_id: string;
  seen_at: CreatedAt;
}
