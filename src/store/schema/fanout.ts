// Endpoints, and what is delivered to them.

import type { Generated, GeneratedAlways } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export type WebhookEndpointFormat = "cloud_api" | "event" | "cloudevents";
export type WebhookEndpointState = "active" | "held" | "paused" | "disabled";

export interface WebhookEndpointTable {
  id: string;
  /** Empty for the partner's own. */
  tenant_id: string;
  /** The same, null for the partner's own: goes with the tenant. */
  owner_tenant_id: GeneratedAlways<string | null>;
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
  /** Signs beside the newest until then. */
  previous_signing_secret_sealed: Buffer | null;
  previous_signing_secret_until: Date | null;
  /** Proves the URL again when it changes. */
  verify_token_sealed: Buffer | null;
  /** A fitness test is under way, at the latest until then. */
  fitness_until: Date | null;
  format: WebhookEndpointFormat;
  timeout_seconds: number;
  max_in_flight: number;
  ordering: Generated<"none" | "conversation">;
  rate_per_second: number | null;
  managed_by: "api" | "drop_in";
  state: Generated<WebhookEndpointState>;
  /** What it was when its tenant was suspended; null while the tenant is not. */
  suspended_from: WebhookEndpointState | null;
  /** Failures in a row, and since when. */
  failure_count: Generated<number>;
  failing_since: Date | null;
  /** While held: when it is probed next, and how often it has been in vain. */
  probe_at: Date | null;
  probe_count: Generated<number>;
  /** It asked for a pause until then. */
  not_before: Date | null;
  /** How many a second it is given until it has shown that it bears more. */
  ramp_per_second: number | null;
  ramp_slowed_at: Date | null;
  pace_tokens: Generated<number>;
  pace_at: Date | null;
  /** Since when it is not active, and for how long it has not been before. */
  stopped_at: Date | null;
  stopped_ms: Generated<string>;
  /** A short name, by which events say what they are owed to. */
  serial: Generated<number>;
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
  /** Of an endpoint in order: a digest of number and user. */
  conversation: Buffer | null;
  replayed_at: Date | null;
  attempts_before_replay: number | null;
}

/** `held` is not among the states: it follows from the endpoint's. */
export interface DeliveryTable extends DeliveryKey {
  state: "pending" | "delivering";
  attempt_count: Generated<number>;
  /** `infinity` while another of its conversation comes first. */
  next_attempt_at: Date | number;
  lease_token: string | null;
  lease_until: Date | null;
  /** What the endpoint's `stopped_ms` was when this was made. */
  stopped_ms_before: Generated<string>;
  created_at: CreatedAt;
}

export interface DeliveryFinishedTable extends DeliveryKey {
  state: "delivered" | "exhausted" | "cancelled";
  attempt_count: number;
  /** Why it ended, where that is not the last attempt's to tell. */
  reason: "retention" | null;
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
