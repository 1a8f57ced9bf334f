import type { ColumnType, Generated } from "kysely";

/** The tables as kysely sees them; the migrations are the truth. Rows stay snake_case. */
export interface Schema {
  installation: InstallationTable;
  tenant: TenantTable;
  client: ClientTable;
  signing_key: SigningKeyTable;
  revoked_token: RevokedTokenTable;
  long_lived_token: LongLivedTokenTable;
  issuer: IssuerTable;
  phone_number: PhoneNumberTable;
  hook: HookTable;
  change: ChangeTable;
  notification: NotificationTable;
  event: EventTable;
  event_identity: EventIdentityTable;
  webhook_endpoint: WebhookEndpointTable;
  delivery: DeliveryTable;
  delivery_finished: DeliveryFinishedTable;
  attempt: AttemptTable;
  follower: FollowerTable;
  customer_service_window: CustomerServiceWindowTable;
  opt_in: OptInTable;
  marketing_preference: MarketingPreferenceTable;
  destination_rule: DestinationRuleTable;
  template: TemplateTable;
  template_sync: TemplateSyncTable;
  idempotency_key: IdempotencyKeyTable;
  message: MessageTable;
  message_status: MessageStatusTable;
  media_id: MediaIdTable;
}

type CreatedAt = ColumnType<Date, Date | undefined, never>;

export type GuardName = "customer_service_window" | "opt_in" | "destination" | "template";
export type GuardMode = "off" | "warn" | "enforce";
/** Only what is set: an absent guard is off for a tenant, and as its tenant's for a number. */
type GuardsColumn = ColumnType<Partial<Record<GuardName, GuardMode>>, string | undefined, string>;

interface InstallationTable {
  id: Generated<string>;
  min_version: string;
  created_at: CreatedAt;
}

export interface TenantTable {
  id: string;
  name: string;
  external_id: string | null;
  state: Generated<"active" | "suspended">;
  guards: GuardsColumn;
  created_at: CreatedAt;
}

export interface ClientTable {
  id: string;
  tenant_id: string | null;
  name: string | null;
  secret_sha256: Buffer;
  scopes: string[];
  phone_number_ids: string[] | null;
  bootstrap: Generated<boolean>;
  created_at: CreatedAt;
  revoked_at: Date | null;
}

export interface SigningKeyTable {
  id: string;
  public_jwk: ColumnType<Record<string, unknown>, string, string>;
  private_key_sealed: Buffer;
  active_from: Date;
  created_at: CreatedAt;
}

interface RevokedTokenTable {
  jti: string;
  expires_at: Date;
}

export interface LongLivedTokenTable {
  id: string;
  tenant_id: string;
  client_id: string;
  name: string;
  scopes: string[];
  phone_number_ids: string[] | null;
  signing_key_id: string;
  created_at: CreatedAt;
  expires_at: Date;
}

export interface IssuerTable {
  id: string;
  iss: string;
  audience: string;
  jwks_url: string;
  algorithms: string[];
  scopes: string[];
  /** The one tenant that it speaks for; else `tenant_claim` of its tokens names one of `tenant_ids`. */
  tenant_id: string | null;
  tenant_claim: string | null;
  tenant_ids: string[] | null;
  created_at: CreatedAt;
}

export type PhoneNumberState = "pending" | "running" | "key_rejected" | "suspended";

type OnboardingStage =
  | "linked"
  | "created"
  | "ready"
  | "running"
  | "live"
  | "permission_missing"
  | "restricted"
  | "cancelled";

export interface PhoneNumberTable {
  id: string;
  tenant_id: string;
  phone_number_id: string;
  display_phone_number: string | null;
  waba_id: string | null;
  channel_id: string | null;
  hub_client_id: string | null;
  state: Generated<PhoneNumberState>;
  onboarding_stage: OnboardingStage | null;
  api_key_sealed: Buffer | null;
  key_last4: string | null;
  base_url: string | null;
  /** Sends a second that 360dialog grants the number. */
  throughput: Generated<20 | 80 | 1000>;
  quality: string | null;
  local_storage_region: string | null;
  /** Whether the number's named endpoints (360dialog's multi_webhook) are switched on. */
  multi_webhook_enabled: Generated<boolean>;
  guards: GuardsColumn;
  /** Since when all that users write to the number comes here. */
  watched_since: Generated<Date>;
  created_at: CreatedAt;
}

export interface HookTable {
  token_sha256: Buffer;
  secret_sha256: Buffer;
  number_id: string;
  created_at: CreatedAt;
  expires_at: Date | null;
}

interface ChangeTable {
  seq: Generated<string>;
  kind: string;
  key: string;
  changed_at: CreatedAt;
}

interface NotificationTable {
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
}

interface EventIdentityTable {
  identity: Buffer;
  seen_at: CreatedAt;
}

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

interface FollowerTable {
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

export interface IdempotencyKeyTable {
  tenant_id: string;
  number_id: string;
  operation: string;
  key_sha256: Buffer;
  request_sha256: Buffer;
  message_id: string;
  state: Generated<"running" | "answered" | "unknown">;
  answer_sealed: Buffer | null;
  lease_until: Date;
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

interface MediaIdTable {
  tenant_id: string;
  media_id: string;
  phone_number_id: string;
  seen_at: CreatedAt;
}
