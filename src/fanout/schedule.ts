/** How a delivery is retried: the delays between attempts (the last repeats) and until when. */
export type RetryPolicy = { scheduleMs: readonly number[]; horizonMs: number };

export type NextAttempt = { kind: "retry"; atMs: number } | { kind: "exhausted" };

/**
 * When a delivery is tried again after a failed attempt: the schedule's delay, up to a quarter
 * longer so that many do not return at once, and not before the endpoint asked to be. What would
 * fall past the horizon is tried once more at the horizon; after that it is exhausted.
 */
export function nextAttempt(options: {
  /** Of the attempt that failed; the first is 1. */
  attemptNumber: number;
  /** From when the horizon runs: the event's time, and so much later as its endpoint was not active. */
  sinceMs: number;
  nowMs: number;
  retryAfterMs: number;
  policy: RetryPolicy;
  /** From 0 to 1. */
  random: number;
}): NextAttempt {
  const { attemptNumber, sinceMs, nowMs, retryAfterMs, policy, random } = options;
  const { scheduleMs, horizonMs } = policy;
  const deadlineMs = sinceMs + horizonMs;
  if (nowMs >= deadlineMs) {
    return { kind: "exhausted" };
  }
  const delayMs = scheduleMs[Math.min(attemptNumber, scheduleMs.length) - 1] ?? 0;
  const atMs = nowMs + Math.max(delayMs * (1 + random / 4), retryAfterMs);
  return { kind: "retry", atMs: Math.min(atMs, deadlineMs) };
}
