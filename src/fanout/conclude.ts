import { formatDuration } from "../clock.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { ClaimedDelivery } from "./claim.ts";
import type { Sign } from "./condition.ts";
import { explainResult, shownAnswer } from "./explain-result.ts";
import { classify, type Outcome } from "./outcome.ts";
import { nextAttempt, type RetryPolicy } from "./schedule.ts";
import type { AttemptRecord, Settlement } from "./settle.ts";

/** Pure: what an attempt's result means, by the outcome and the schedule. */
export function conclude(options: {
  delivery: ClaimedDelivery;
  startedAt: Date;
  result: OutboundResult;
  policy: RetryPolicy;
  random: number;
}): Settlement {
  const { delivery, startedAt, result, policy, random } = options;
  const nowMs = startedAt.getTime() + result.durationMs;
  const outcome = classify(result, nowMs);
  const sign = signOf(outcome, delivery.endpoint.held);
  const record = (of: Pick<AttemptRecord, "outcome" | "next">): AttemptRecord => ({
    ...of,
    startedAt,
    durationMs: Math.round(result.durationMs),
    status: result.kind === "answer" ? result.status : null,
    answer: shownAnswer(result),
    reason: `${whyNow(delivery)} ${explainResult(result)}`,
  });
  switch (outcome.kind) {
    case "delivered": {
      const attempt = record({ outcome: "delivered", next: "Nothing more." });
      return { delivery, state: "delivered", nextAttemptAt: null, attempt, sign };
    }
    case "interrupted":
      return {
        delivery,
        state: "pending",
        nextAttemptAt: new Date(nowMs),
        attempt: undefined,
        sign,
      };
    case "endpoint_gone": {
      const next = "The endpoint answered 410 and is disabled; the delivery is held for it.";
      const attempt = record({ outcome: "endpoint_gone", next });
      return { delivery, state: "pending", nextAttemptAt: new Date(nowMs), attempt, sign };
    }
    case "retry": {
      const since = delivery.replayed_at ?? delivery.received_at;
      const after = nextAttempt({
        attemptNumber: delivery.attempt_count - (delivery.attempts_before_replay ?? 0),
        sinceMs: since.getTime() + delivery.stopped_ms,
        nowMs,
        retryAfterMs: outcome.retryAfterMs,
        policy,
        random,
      });
      if (after.kind === "exhausted") {
        const what = delivery.replayed_at === null ? "event" : "replay";
        const next = `None: ${formatDuration(policy.horizonMs)} have passed since the ${what}.`;
        const attempt = record({ outcome: "exhausted", next });
        return { delivery, state: "exhausted", nextAttemptAt: null, attempt, sign };
      }
      const nextAttemptAt = new Date(after.atMs);
      const next = `Tried again at ${nextAttemptAt.toISOString()}.`;
      const attempt = record({ outcome: "retry", next });
      return { delivery, state: "pending", nextAttemptAt, attempt, sign };
    }
    default:
      return outcome satisfies never;
  }
}

/** What the outcome says of the endpoint as a whole. */
function signOf(outcome: Outcome, probe: boolean): Sign | undefined {
  switch (outcome.kind) {
    case "interrupted":
      return undefined;
    case "delivered":
      return { kind: "success", retryAfterMs: 0, probe };
    case "endpoint_gone":
      return { kind: "gone", retryAfterMs: 0, probe };
    case "retry":
      return { kind: outcome.sign, retryAfterMs: outcome.pauseMs, probe };
    default:
      return outcome satisfies never;
  }
}

function whyNow(delivery: ClaimedDelivery): string {
  const { attempt_count: number, attempts_before_replay, replayed_at, endpoint } = delivery;
  if (endpoint.held) {
    return `Attempt ${number}, the probe of a held endpoint.`;
  }
  if (replayed_at !== null && number === (attempts_before_replay ?? 0) + 1) {
    return `Attempt ${number}, the first since the replay of ${replayed_at.toISOString()}.`;
  }
  return number === 1
    ? "First attempt."
    : `Attempt ${number}, because the one before did not succeed.`;
}
