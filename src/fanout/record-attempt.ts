import { type Log, logDeliveryAttempted } from "../log.ts";
import { countAttempt, type Metrics } from "../metrics.ts";
import type { Settlement } from "./settle.ts";

/** Counts an attempt and logs it, once it is settled. */
export function recordAttempt(
  { log, metrics }: { log: Log; metrics: Metrics },
  { delivery, attempt }: Settlement,
): void {
  const outcome = attempt?.outcome ?? "interrupted";
  countAttempt(metrics, { outcome });
  logDeliveryAttempted(log, {
    deliveryId: delivery.id,
    eventId: delivery.event_id,
    endpointId: delivery.endpoint_id,
    tenantId: delivery.tenant_id,
    attemptNumber: delivery.attempt_count,
    status: attempt?.status ?? null,
    outcome,
    durationMs: attempt?.durationMs ?? 0,
  });
}
