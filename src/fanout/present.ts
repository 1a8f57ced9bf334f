import type { Schemas } from "../http/contract-types.ts";
import { etagOf } from "../http/etag.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import { explainResult, shownAnswer } from "./explain-result.ts";
import type { AttemptRow, DeliveryRow } from "./read-deliveries.ts";
import type { WebhookEndpointRow } from "./endpoints.ts";

/** Header values and the signing secret are not in it: they are written, never read. */
export function presentEndpoint(row: WebhookEndpointRow): Schemas["WebhookEndpoint"] {
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    event_types: row.event_types,
    phone_number_ids: row.phone_number_ids,
    waba_ids: row.waba_ids,
    header_names: row.header_names,
    format: row.format,
    timeout_seconds: row.timeout_seconds,
    max_in_flight: row.max_in_flight,
    ordering: row.ordering,
    rate_per_second: row.rate_per_second,
    verify_token_set: row.verify_token_sealed !== null,
    previous_secret_until: row.previous_signing_secret_until?.toISOString() ?? null,
    managed_by: row.managed_by,
    state: row.state,
    created_at: row.created_at.toISOString(),
  };
}

/**
 * The version of what the tenant has chosen, also of what is never shown. Its state is not in it: a
 * change must not be refused because the endpoint was held meanwhile.
 */
export function endpointEtag(row: WebhookEndpointRow): string {
  const { state: _state, ...chosen } = presentEndpoint(row);
  return etagOf(chosen, row.headers_sealed, row.signing_secret_sealed, row.verify_token_sealed);
}

/** What came of a test ping. */
export function presentTest(webhookId: string, result: OutboundResult): Schemas["WebhookTest"] {
  const status = result.kind === "answer" ? result.status : null;
  return {
    webhook_id: webhookId,
    delivered: status !== null && status >= 200 && status <= 299,
    status,
    duration_ms: Math.round(result.durationMs),
    answer: shownAnswer(result)?.toString("utf8") ?? null,
    reason: explainResult(result),
  };
}

export function presentDelivery(row: DeliveryRow): Schemas["Delivery"] {
  return {
    id: row.id,
    event_id: row.event_id,
    event_type: row.event_type,
    endpoint_id: row.endpoint_id,
    state: row.state,
    attempt_count: row.attempt_count,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
    replayed_at: row.replayed_at?.toISOString() ?? null,
    reason: row.reason,
  };
}

export function presentAttempt(row: AttemptRow): Schemas["Attempt"] {
  return {
    id: row.id,
    number: row.number,
    started_at: row.started_at.toISOString(),
    duration_ms: row.duration_ms,
    status: row.status,
    answer: row.answer?.toString("utf8") ?? null,
    outcome: row.outcome,
    reason: row.reason,
    next: row.next,
  };
}
