// Tenants, who may speak for them, and their numbers.

import type { ColumnType, Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

/** Those that judge a send. */
export type SendGuardName = "customer_service_window" | "opt_in" | "destination" | "template";

/** And the one that judges where the partner lets a number's data be stored. */
export type GuardName = SendGuardName | "storage_region";

export type GuardMode = "off" | "warn" | "enforce";

/** Only what is set: what counts for an absent one is said in `tenancy/guard-settings.ts`. */
type GuardsColumn = ColumnType<Partial<Record<GuardName, GuardMode>>, string | undefined, string>;

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

export interface RevokedTokenTable {
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

export type LocalStorageState = "requested" | "pin_required" | "confirmed";

export type OnboardingStage =
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
  key_made_at: Generated<Date>;
  base_url: string | null;
  /** Sends a second that 360dialog grants the number. */
  throughput: Generated<20 | 80 | 1000>;
  quality: string | null;
  /** How many users a day it may begin with, in 360dialog's word. */
  messaging_limit: string | null;
  local_storage_region: string | null;
  /** Null where nobody has asked for it here. */
  local_storage_state: LocalStorageState | null;
  /** PINs that 360dialog was asked with for this region. */
  local_storage_pin_attempts: Generated<number>;
  local_storage_changed_at: Date | null;
  /** Whether the number's named endpoints (360dialog's multi_webhook) are switched on. */
  multi_webhook_enabled: Generated<boolean>;
  guards: GuardsColumn;
  /** Since when all that users write to the number comes here. */
  watched_since: Generated<Date>;
  created_at: CreatedAt;
}

export interface NumberMoveTable {
  /** Whose the number was until then. */
  tenant_id: string;
  number_id: string;
  moved_at: Generated<Date>;
}

export interface HookTable {
  token_sha256: Buffer;
  secret_sha256: Buffer;
  number_id: string;
  created_at: CreatedAt;
  expires_at: Date | null;
}
