import { type Log, logBackgroundFailed } from "../log.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { ClaimedDelivery } from "./claim.ts";
import { conclude } from "./conclude.ts";
import type { EndpointSecrets, OpenedSecrets } from "./endpoint-secrets.ts";
import { postSigned } from "./post.ts";
import { renderBody } from "./render-body.ts";
import type { RetryPolicy } from "./schedule.ts";
import type { Settlement } from "./settle.ts";

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
    const result = await attempt(delivery, startedAt, signal);
    return conclude({ delivery, startedAt, result, policy, random: random() });
  };

  async function attempt(
    delivery: ClaimedDelivery,
    startedAt: Date,
    signal: AbortSignal,
  ): Promise<OutboundResult> {
    const { endpoint } = delivery;
    let opened: OpenedSecrets;
    try {
      opened = endpointSecrets.open(endpoint);
    } catch (error) {
      // It must not be claimed for ever without a word: it fails by the schedule like any other.
      logBackgroundFailed(log, { job: "attempt", err: error });
      const detail = "The gateway could not open the endpoint's secrets.";
      return { kind: "failed", reason: "invalid_request", detail, durationMs: 0 };
    }
    const post = {
      url: endpoint.url,
      opened,
      deliveryId: delivery.id,
      attemptNumber: delivery.attempt_count,
      at: startedAt,
      ...renderBody(endpoint.format, { ...delivery, id: delivery.event_id }),
      timeoutMs: endpoint.timeout_seconds * 1000,
    };
    return postSigned(outbound, post, signal);
  }
}
