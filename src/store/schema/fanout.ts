// Endpoints, and what is delivered to them.

import type { Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export type WebhookEndpointFormat = "cloud_api" | "event" | "cloudevents";

export interface WebhookEndpointTable {
  id: string;
  tenant_id: string;
  url: string;
  description: string | null;
  /** Of a drop-in endpoint that 360dialog's multi_webhook names; else null. */
  name: string | null;
  event_types: string[] | null;
  event_type_patterns: string[] | null;
  phone_number_ids: string[] | null;
  waba_ids: string[] | null;
  headers_sealed: Buffer | null;
  header_names: string[];
  signing_secret_sealed: Buffer;
  format: WebhookEndpointFormat;
  timeout_seconds: number;
  max_in_flight: number;
  managed_by: "api" | "drop_in";
  state: Generated<"active" | "held" | "paused" | "disabled">;
  created_at: CreatedAt;
}

interface DeliveryKey {
  tenant_id: string;
  event_xid: string;
  event_seq: string;
  endpoint_id: string;
  id: string;
  event_id: string;
  event_received_at: Date;
}

export interface DeliveryTable extends DeliveryKey {
  state: "pending" | "delivering" | "held";
  attempt_count: Generated<number>;
  next_attempt_at: Date | null;
  lease_token: string | null;
  lease_until: Date | null;
  created_at: CreatedAt;
}

export interface DeliveryFinishedTable extends DeliveryKey {
  state: "delivered" | "exhausted" | "cancelled";
  attempt_count: number;
  created_at: Date;
  finished_at: CreatedAt;
}

export type AttemptOutcome = "delivered" | "retry" | "exhausted" | "endpoint_gone";

export interface AttemptTable {
  tenant_id: string;
  id: string;
  delivery_id: string;
  event_id: string;
  number: number;
  started_at: Date;
  duration_ms: number;
  status: number | null;
  answer: Buffer | null;
  outcome: AttemptOutcome;
  reason: string;
  next: string;
}
