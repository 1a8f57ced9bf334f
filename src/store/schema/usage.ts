// What each tenant sent and received.

import type { CreatedAt } from "./created-at.ts";

export type UsageDirection = "inbound" | "outbound";

export interface UsageTable {
  tenant_id: string;
  day: string;
  phone_number_id: string;
  category: string;
  country: string;
  direction: UsageDirection;
  billable: boolean;
  messages: string;
}

export interface UsageMessageTable {
  tenant_id: string;
  message_key: Buffer;
  phone_number_id: string;
  direction: UsageDirection;
  country: string;
  day: string | null;
  category: string | null;
  billable: boolean;
  price_rank: number;
  counted_day: string | null;
  seen_at: CreatedAt;
}
