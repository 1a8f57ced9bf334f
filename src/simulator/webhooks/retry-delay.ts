const HOUR_MS = 3_600_000;

/** 5 s, doubled each time, capped at an hour. 360dialog publishes only that the delay grows. */
export const DEFAULT_RETRY_DELAYS_MS: readonly number[] = Array.from({ length: 11 }, (_, index) =>
  Math.min(5_000 * 2 ** index, HOUR_MS),
);

/** The wait before the next attempt, or undefined when it would come after the horizon. */
export function nextDelayMs(input: {
  delaysMs: readonly number[];
  attemptsMade: number;
  ageMs: number;
  horizonMs: number;
}): number | undefined {
  const delayMs = input.delaysMs[input.attemptsMade - 1] ?? input.delaysMs.at(-1);
  return delayMs === undefined || input.ageMs + delayMs > input.horizonMs ? undefined : delayMs;
}
