import { formatDuration } from "../clock.ts";
import { type Log, logBackgroundFailed } from "../log.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { Secret } from "../secret.ts";
import type { ClaimedDelivery } from "./claim.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { classify } from "./outcome.ts";
import { renderBody } from "./render-body.ts";
import { nextAttempt, type RetryPolicy } from "./schedule.ts";
import type { AttemptRecord, Settlement } from "./settle.ts";
import { signatureHeaders } from "./sign.ts";

const ANSWER_BYTES_KEPT = 1024;

export type Attempted = { settlement: Settlement; endpointGone: boolean };
export type AttemptDelivery = (
  delivery: ClaimedDelivery,
  signal: AbortSignal,
) => Promise<Attempted>;

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
    const startedAt = new Date();
    const result = await post(delivery, startedAt, signal);
    return conclude({ delivery, startedAt, result, policy, random: random() });
  };

  async function post(
    delivery: ClaimedDelivery,
    startedAt: Date,
    signal: AbortSignal,
  ): Promise<OutboundResult> {
    const endpoint = { id: delivery.endpoint_id, tenant_id: delivery.tenant_id };
    let headers: Record<string, string>;
    let secret: Secret;
    try {
      headers = endpointSecrets.openHeaders(endpoint, delivery.headers_sealed);
      secret = endpointSecrets.openSigningSecret(endpoint, delivery.signing_secret_sealed);
    } catch (error) {
      // It must not be claimed for ever without a word: it fails by the schedule like any other.
      logBackgroundFailed(log, { job: "attempt", err: error });
      const detail = "The gateway could not open the endpoint's secrets.";
      return { kind: "failed", reason: "invalid_request", detail, durationMs: 0 };
    }
    const { contentType, body } = renderBody(delivery.format, {
      ...delivery,
      id: delivery.event_id,
    });
    return outbound.request({
      method: "POST",
      url: delivery.url,
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
      timeoutMs: delivery.timeout_seconds * 1000,
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

/** Pure: what an attempt's result means, by the outcome and the schedule. */
export function conclude(options: {
  delivery: ClaimedDelivery;
  startedAt: Date;
  result: OutboundResult;
  policy: RetryPolicy;
  random: number;
}): Attempted {
  const { delivery, startedAt, result, policy, random } = options;
  const nowMs = startedAt.getTime() + result.durationMs;
  const outcome = classify(result, nowMs);
  const record = (of: Pick<AttemptRecord, "outcome" | "next">): AttemptRecord => ({
    ...of,
    startedAt,
    durationMs: Math.round(result.durationMs),
    status: result.kind === "answer" ? result.status : null,
    answer: keptAnswer(result),
    reason: reasonOf(delivery.attempt_count, result),
  });
  switch (outcome.kind) {
    case "delivered":
      return attempted(
        delivery,
        "delivered",
        null,
        record({ outcome: "delivered", next: "Nothing more." }),
      );
    case "interrupted":
      return attempted(delivery, "pending", new Date(nowMs), undefined);
    case "endpoint_gone": {
      const next = "The endpoint answered 410 and is disabled; the delivery is held for it.";
      const held = attempted(
        delivery,
        "pending",
        new Date(nowMs),
        record({ outcome: "endpoint_gone", next }),
      );
      return { ...held, endpointGone: true };
    }
    case "retry": {
      const after = nextAttempt({
        attemptNumber: delivery.attempt_count,
        eventAtMs: delivery.received_at.getTime(),
        nowMs,
        retryAfterMs: outcome.retryAfterMs,
        policy,
        random,
      });
      if (after.kind === "exhausted") {
        const next = `None: ${formatDuration(policy.horizonMs)} have passed since the event.`;
        return attempted(delivery, "exhausted", null, record({ outcome: "exhausted", next }));
      }
      const nextAt = new Date(after.atMs);
      const next = `Tried again at ${nextAt.toISOString()}.`;
      return attempted(delivery, "pending", nextAt, record({ outcome: "retry", next }));
    }
    default:
      return outcome satisfies never;
  }
}

function attempted(
  delivery: ClaimedDelivery,
  state: Settlement["state"],
  nextAttemptAt: Date | null,
  attempt: AttemptRecord | undefined,
): Attempted {
  return { settlement: { delivery, state, nextAttemptAt, attempt }, endpointGone: false };
}

/** What a host of the operator's own network answers is nobody's to read back. */
function keptAnswer(result: OutboundResult): Buffer | null {
  return result.kind === "answer" && !result.byAllowList && result.body.length > 0
    ? result.body.subarray(0, ANSWER_BYTES_KEPT)
    : null;
}

function reasonOf(attemptNumber: number, result: OutboundResult): string {
  const why =
    attemptNumber === 1
      ? "First attempt."
      : `Attempt ${attemptNumber}, because the one before did not succeed.`;
  switch (result.kind) {
    case "answer":
      return `${why} The endpoint answered ${result.status}.`;
    case "refused_address":
    case "failed":
      return `${why} ${result.detail}`;
    default:
      return result satisfies never;
  }
}
