// What came over hooks, and the events in it.

import type { Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export interface NotificationTable {
  id: string;
  number_id: string | null;
  body_sha256: Buffer;
  body_bytes: number;
  event_count: number;
  received_at: CreatedAt;
}

export interface EventTable {
  tenant_id: string;
  id: string;
  xid: Generated<string>;
  seq: Generated<string>;
  type: string;
  phone_number_id: string | null;
  waba_id: string | null;
  identity: Buffer;
  notification_id: string;
  body: Buffer;
  received_at: CreatedAt;
  /** The serials of the endpoints that it was owed to when it came; null before that was noted. */
  owed: number[] | null;
}

export interface EventIdentityTable {
  identity: Buffer;
  seen_at: CreatedAt;
}

/** Which transaction was next at a moment. */
export interface XidMarkTable {
  at: Date;
  xid: string;
}
