import type { Schemas } from "../http/contract-types.ts";
import { etagOf } from "../http/etag.ts";
import { effectiveGuards, numberGuards, sendGuards, type SetGuards } from "./guard-settings.ts";
import type { PhoneNumberRow } from "./phone-numbers.ts";

/** The tenant's own view of a number: nothing of its key, its channel, its region or the partner's side. */
export function presentOwnNumber(
  row: PhoneNumberRow,
  tenantGuards: SetGuards,
): Schemas["TenantNumber"] {
  return {
    phone_number_id: row.phone_number_id,
    display_phone_number: row.display_phone_number,
    waba_id: row.waba_id,
    state: row.state,
    throughput: row.throughput,
    quality: row.quality,
    guards: sendGuards(numberGuards(row.guards)),
    effective_guards: sendGuards(effectiveGuards(tenantGuards, row.guards)),
    created_at: row.created_at.toISOString(),
  };
}

/** The version of what a tenant can set of a number. */
export function ownNumberEtag(row: PhoneNumberRow): string {
  return etagOf(row.id, sendGuards(numberGuards(row.guards)));
}
