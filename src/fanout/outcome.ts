import type { OutboundResult } from "../outbound/exchange.ts";

/** What an attempt means for its delivery, before the schedule is asked. */
export type Outcome =
  | { kind: "delivered" }
  | { kind: "retry"; retryAfterMs: number }
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
        : { kind: "retry", retryAfterMs: parseRetryAfter(result.headers["retry-after"], nowMs) };
    case "refused_address":
      return { kind: "retry", retryAfterMs: 0 };
    case "failed":
      return result.reason === "aborted"
        ? { kind: "interrupted" }
        : { kind: "retry", retryAfterMs: 0 };
    default:
      return result satisfies never;
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
