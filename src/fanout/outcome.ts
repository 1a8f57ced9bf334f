import type { OutboundResult } from "../outbound/exchange.ts";

/** What an attempt means for its delivery, before the schedule is asked. */
export type Outcome =
  | { kind: "delivered" }
  | {
      kind: "retry";
      /** How long the delivery waits at least. */
      retryAfterMs: number;
      sign: "failure" | "busy" | "busy_failure";
      /** How long the whole endpoint waits. */
      pauseMs: number;
    }
  | { kind: "endpoint_gone" }
  /** We are stopping: the attempt does not count. */
  | { kind: "interrupted" };

/** Any 2xx in time is success, 410 means the endpoint is gone, everything else is tried again. */
export function classify(result: OutboundResult, nowMs: number): Outcome {
  switch (result.kind) {
    case "answer":
      if (result.status >= 200 && result.status <= 299) {
        return { kind: "delivered" };
      }
      return result.status === 410
        ? { kind: "endpoint_gone" }
        : afterAnswer(result.status, parseRetryAfter(result.headers["retry-after"], nowMs));
    case "refused_address":
      return FAILURE;
    case "failed":
      return result.reason === "aborted" ? { kind: "interrupted" } : FAILURE;
    default:
      return result satisfies never;
  }
}

const FAILURE = { kind: "retry", retryAfterMs: 0, sign: "failure", pauseMs: 0 } as const;

/** 429 and 503 speak for the endpoint as a whole; with others Retry-After is the delivery's alone. */
function afterAnswer(status: number, retryAfterMs: number): Outcome {
  switch (status) {
    case 429:
      return { kind: "retry", retryAfterMs, sign: "busy", pauseMs: retryAfterMs };
    case 503:
      return { kind: "retry", retryAfterMs, sign: "busy_failure", pauseMs: retryAfterMs };
    default:
      return { ...FAILURE, retryAfterMs };
  }
}

/** RFC 9110, section 10.2.3: seconds or a date. Nonsense counts as nothing. */
export function parseRetryAfter(value: string | string[] | undefined, nowMs: number): number {
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) {
    return 0;
  }
  if (/^\d{1,9}$/.test(text)) {
    return Number(text) * 1000;
  }
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? 0 : Math.max(0, dateMs - nowMs);
}
