import type { Schemas } from "../http/contract-types.ts";
import { etagOf } from "../http/etag.ts";
import type { ClientRow } from "../tenancy/clients.ts";
import type { IssuerRow } from "../tenancy/issuers.ts";
import { numberGuards, tenantGuards } from "../tenancy/guard-settings.ts";
import type { PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import type { TenantRow } from "../tenancy/tenants.ts";

export function presentTenant(row: TenantRow): Schemas["Tenant"] {
  return {
    id: row.id,
    name: row.name,
    external_id: row.external_id,
    state: row.state,
    guards: tenantGuards(row.guards),
    created_at: row.created_at.toISOString(),
  };
}

export function tenantEtag(row: TenantRow): string {
  return etagOf(presentTenant(row));
}

export function presentClient(row: ClientRow): Schemas["Client"] {
  return {
    client_id: row.id,
    name: row.name,
    // Checked against the list of scopes when the client was made.
    scopes: row.scopes as Schemas["Scope"][],
    phone_number_ids: row.phone_number_ids,
    created_at: row.created_at.toISOString(),
  };
}

export function presentIssuer(row: IssuerRow): Schemas["Issuer"] {
  return {
    id: row.id,
    iss: row.iss,
    audience: row.audience,
    jwks_url: row.jwks_url,
    // Both checked by the contract when the issuer was registered.
    algorithms: row.algorithms as Schemas["IssuerAlgorithm"][],
    scopes: row.scopes as Schemas["IssuerScope"][],
    tenant_id: row.tenant_id,
    tenant_claim: row.tenant_claim,
    tenant_ids: row.tenant_ids,
    created_at: row.created_at.toISOString(),
  };
}

export function issuerEtag(row: IssuerRow): string {
  return etagOf(presentIssuer(row));
}

/** The partner's view. Of the key only its last four characters are ever shown. */
export function presentNumber(
  row: PhoneNumberRow,
  about: { registrationsLeft: number; warnings: Schemas["NumberWarning"][] },
): Schemas["Number"] {
  return {
    id: row.id,
    phone_number_id: row.phone_number_id,
    display_phone_number: row.display_phone_number,
    waba_id: row.waba_id,
    channel_id: row.channel_id,
    client_id: row.hub_client_id,
    tenant_id: row.tenant_id,
    state: row.state,
    onboarding_stage: row.onboarding_stage,
    key_last4: row.key_last4,
    base_url: row.base_url,
    throughput: row.throughput,
    quality: row.quality,
    messaging_limit: row.messaging_limit,
    registrations_left: about.registrationsLeft,
    local_storage_region: row.local_storage_region,
    warnings: about.warnings,
    guards: numberGuards(row.guards),
    created_at: row.created_at.toISOString(),
  };
}

/** Of what the partner sets, the key too; not of what 360dialog says or use makes of it. */
export function numberEtag(row: PhoneNumberRow): string {
  const {
    state: _state,
    onboarding_stage: _stage,
    quality: _quality,
    messaging_limit: _limit,
    registrations_left: _left,
    warnings: _warnings,
    ...set
  } = presentNumber(row, { registrationsLeft: 0, warnings: [] });
  return etagOf(set, row.api_key_sealed);
}
