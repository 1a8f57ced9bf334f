import { type Log, logBackgroundFailed } from "../log.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { Secret } from "../secret.ts";
import type { ClaimedDelivery } from "./claim.ts";
import { ANSWER_BYTES_KEPT, conclude } from "./conclude.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { renderBody } from "./render-body.ts";
import type { RetryPolicy } from "./schedule.ts";
import type { Settlement } from "./settle.ts";
import { signatureHeaders } from "./sign.ts";

export type AttemptDelivery = (
  delivery: ClaimedDelivery,
  signal: AbortSignal,
) => Promise<Settlement>;

/** One signed POST of a claimed delivery, and what it means for the delivery. */
export function createAttemptDelivery(options: {
  outbound: OutboundAgent;
  endpointSecrets: EndpointSecrets;
  policy: RetryPolicy;
  log: Log;
  random?: () => number;
}): AttemptDelivery {
  const { outbound, endpointSecrets, policy, log, random = Math.random } = options;
  return async (delivery, signal) => {
    const startedAt = delivery.claimed_at;
    const result = await post(delivery, startedAt, signal);
    return conclude({ delivery, startedAt, result, policy, random: random() });
  };

  async function post(
    delivery: ClaimedDelivery,
    startedAt: Date,
    signal: AbortSignal,
  ): Promise<OutboundResult> {
    const { endpoint } = delivery;
    let headers: Record<string, string>;
    let secret: Secret;
    try {
      headers = endpointSecrets.openHeaders(endpoint, endpoint.headers_sealed);
      secret = endpointSecrets.openSigningSecret(endpoint, endpoint.signing_secret_sealed);
    } catch (error) {
      // It must not be claimed for ever without a word: it fails by the schedule like any other.
      logBackgroundFailed(log, { job: "attempt", err: error });
      const detail = "The gateway could not open the endpoint's secrets.";
      return { kind: "failed", reason: "invalid_request", detail, durationMs: 0 };
    }
    const { contentType, body } = renderBody(endpoint.format, {
      ...delivery,
      id: delivery.event_id,
    });
    return outbound.request({
      method: "POST",
      url: endpoint.url,
      headers: {
        "user-agent": "waba-gateway",
        ...inLowerCase(headers),
        "content-type": contentType,
        "webhook-attempt": String(delivery.attempt_count),
        ...signatureHeaders({
          deliveryId: delivery.id,
          timestampSeconds: Math.floor(startedAt.getTime() / 1000),
          body,
          secrets: [secret],
        }),
      },
      body,
      timeoutMs: endpoint.timeout_seconds * 1000,
      answerBytesMax: ANSWER_BYTES_KEPT,
      signal,
    });
  }
}

/** So that a tenant's `Content-Type` and ours are one header and not two. */
function inLowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
