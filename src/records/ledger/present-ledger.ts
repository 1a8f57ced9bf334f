import type { Schemas } from "../../http/contract-types.ts";
import type { LedgerRow } from "./read-ledger.ts";

export function presentLedgerRow(row: LedgerRow): Schemas["LedgerRow"] {
  const { endpoint_state, pending } = row;
  // Whether what waits is held follows from its endpoint.
  const waits = endpoint_state === null || endpoint_state === "active";
  return {
    hour: row.hour.toISOString(),
    endpoint_id: row.endpoint_id,
    phone_number_id: row.phone_number_id === "" ? null : row.phone_number_id,
    received: row.received,
    delivered: row.delivered,
    pending: waits ? pending : 0,
    delivering: row.delivering,
    held: waits ? 0 : pending,
    exhausted: row.exhausted,
    cancelled: row.cancelled,
    filtered: row.filtered,
    missing: row.missing,
    counted_at: row.counted_at.toISOString(),
  };
}
