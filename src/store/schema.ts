import type { AlertTable } from "./schema/alerts.ts";
import type { AuditEntryTable, AuditHeadTable, AuditLinkTable } from "./schema/audit.ts";
import type {
  EventIdentityTable,
  EventTable,
  NotificationTable,
  XidMarkTable,
} from "./schema/events.ts";
import type {
  AttemptTable,
  DeliveryFinishedTable,
  DeliveryTable,
  WebhookEndpointTable,
} from "./schema/fanout.ts";
import type { ErasureTable } from "./schema/erasures.ts";
import type { IdempotencyKeyTable } from "./schema/gateway.ts";
import type {
  DeletedEndpointTable,
  LedgerDriftTable,
  LedgerHourTable,
  LedgerTable,
  TrafficTable,
} from "./schema/ledger.ts";
import type {
  CustomerServiceWindowTable,
  DestinationRuleTable,
  FollowerTable,
  MarketingPreferenceTable,
  MediaIdTable,
  MessageStatusTable,
  MessageTable,
  OptInTable,
  TemplateSyncTable,
  TemplateTable,
} from "./schema/records.ts";
import type {
  HubDifferenceTable,
  HubSyncSeenTable,
  HubSyncTable,
  NumberWatchTable,
} from "./schema/hub-sync.ts";
import type { ImportJobTable, ImportRowTable } from "./schema/imports.ts";
import type {
  KeyJobNumberTable,
  KeyJobTable,
  KeyRejectionTable,
  KeyRotationTable,
  KeyScheduleTable,
} from "./schema/keys.ts";
import type {
  HubClientBindingTable,
  OnboardingChannelTable,
  OnboardingLinkTable,
} from "./schema/onboarding.ts";
import type { PartnerEventTable, PartnerHookTable } from "./schema/partner.ts";
import type { RegistrationLimitTable, RegistrationTable } from "./schema/registrations.ts";
import type { ChangeTable, InstallationTable } from "./schema/store.ts";
import type {
  ClientTable,
  HookTable,
  IssuerTable,
  LongLivedTokenTable,
  NumberMoveTable,
  PhoneNumberTable,
  RevokedTokenTable,
  SigningKeyTable,
  TenantTable,
} from "./schema/tenancy.ts";
import type { UsageMessageTable, UsageTable } from "./schema/usage.ts";

/**
 * The tables as kysely sees them; the migrations are the truth. Rows stay snake_case. Each
 * module's are in a file of its name.
 */
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
  partner_hook: PartnerHookTable;
  partner_event: PartnerEventTable;
  onboarding_link: OnboardingLinkTable;
  hub_client_binding: HubClientBindingTable;
  onboarding_channel: OnboardingChannelTable;
  registration_limit: RegistrationLimitTable;
  registration: RegistrationTable;
  audit_entry: AuditEntryTable;
  audit_link: AuditLinkTable;
  audit_head: AuditHeadTable;
  number_move: NumberMoveTable;
  change: ChangeTable;
  notification: NotificationTable;
  event: EventTable;
  event_identity: EventIdentityTable;
  xid_mark: XidMarkTable;
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
  deleted_endpoint: DeletedEndpointTable;
  ledger_hour: LedgerHourTable;
  ledger: LedgerTable;
  ledger_drift: LedgerDriftTable;
  traffic: TrafficTable;
  usage: UsageTable;
  usage_message: UsageMessageTable;
  import_job: ImportJobTable;
  import_row: ImportRowTable;
  key_rotation: KeyRotationTable;
  key_rejection: KeyRejectionTable;
  key_job: KeyJobTable;
  key_job_number: KeyJobNumberTable;
  key_schedule: KeyScheduleTable;
  alert: AlertTable;
  number_watch: NumberWatchTable;
  hub_sync: HubSyncTable;
  hub_sync_seen: HubSyncSeenTable;
  hub_difference: HubDifferenceTable;
  erasure: ErasureTable;
}
