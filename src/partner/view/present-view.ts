import { presentDelivery, presentEndpoint } from "../../fanout/present.ts";
import type { WebhookEndpointRow } from "../../fanout/endpoints.ts";
import type { DeliveryRow } from "../../fanout/read-deliveries.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { presentLedgerRow } from "../../records/ledger/present-ledger.ts";
import type { LedgerRow } from "../../records/ledger/read-ledger.ts";

/** `null` is the partner itself. */
const ownerOf = ({ tenant_id }: { tenant_id: string }): string | null => tenant_id || null;

/** An endpoint with how it does. */
export function presentEndpointAsPartner(row: WebhookEndpointRow): Schemas["EndpointAsPartner"] {
  return {
    ...presentEndpoint(row),
    tenant_id: ownerOf(row),
    failure_count: row.failure_count,
    failing_since: row.failing_since?.toISOString() ?? null,
    stopped_at: row.stopped_at?.toISOString() ?? null,
    probe_at: row.probe_at?.toISOString() ?? null,
    not_before: row.not_before?.toISOString() ?? null,
  };
}

export function presentDeliveryAsPartner(row: DeliveryRow): Schemas["DeliveryAsPartner"] {
  return { ...presentDelivery(row), tenant_id: ownerOf(row) };
}

export function presentLedgerRowAsPartner(row: LedgerRow): Schemas["LedgerRowAsPartner"] {
  return { ...presentLedgerRow(row), tenant_id: ownerOf(row) };
}
