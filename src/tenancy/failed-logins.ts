const WINDOW_MS = 60_000;
const FAILURES_MAX = 10;
const KEYS_MAX = 50_000;

/** Counts wrong client secrets: ten a minute for a client and an address, then a pause. */
export type FailedLogins = {
  /** Seconds until the next try is heard, or `undefined` when it may be made now. */
  pauseSeconds(key: string): number | undefined;
  /** A try counts from its start, so that guesses made at once are counted too. */
  begin(key: string): void;
  /** The try that has just begun was right. */
  succeeded(key: string): void;
};

export function createFailedLogins(now: () => number = Date.now): FailedLogins {
  const failures = new Map<string, number[]>();

  function recent(key: string): number[] {
    return (failures.get(key) ?? []).filter((atMs) => atMs > now() - WINDOW_MS);
  }

  return {
    pauseSeconds(key) {
      const [oldest, ...others] = recent(key).slice(-FAILURES_MAX);
      return oldest !== undefined && others.length === FAILURES_MAX - 1
        ? Math.max(1, Math.ceil((oldest + WINDOW_MS - now()) / 1000))
        : undefined;
    },
    begin(key) {
      if (failures.size >= KEYS_MAX) {
        failures.clear();
      }
      failures.set(key, [...recent(key), now()]);
    },
    succeeded(key) {
      failures.set(key, recent(key).slice(0, -1));
    },
  };
}
