import { setTimeout as sleep } from "node:timers/promises";

/** Does something now and then, the first time after `firstAfterMs`, until it is stopped. */
export function every(
  durationMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
  { firstAfterMs = durationMs }: { firstAfterMs?: number } = {},
): { stop: () => Promise<void> } {
  function workAgain(afterMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      timer = workAgain(durationMs);
      void work().catch(onError);
    }, afterMs);
  }
  let timer = workAgain(firstAfterMs);
  return {
    async stop() {
      clearTimeout(timer);
    },
  };
}

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads `500ms`, `30s`, `2m`, `24h` or `7d` as milliseconds; `undefined` for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unitMs = UNIT_MS[match?.[2] ?? ""];
  return unitMs === undefined ? undefined : Number(match?.[1]) * unitMs;
}

/** Writes milliseconds in the largest unit that divides them: 90000 is `90s`, 7200000 is `2h`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    const unitMs = UNIT_MS[unit] ?? 1;
    if (durationMs >= unitMs && durationMs % unitMs === 0) {
      return `${durationMs / unitMs}${unit}`;
    }
  }
  return `${durationMs}ms`;
}

/**
 * Does `look` again and again until it is stopped. It says in how many milliseconds it wants to look
 * next, and a poke makes that at once, also one that comes while it looks. It must not reject.
 * `paceMs` at least lie between the beginnings of two looks: a first poke is heard at once, and under
 * load each look finds more.
 */
export function keepLooking(
  look: () => Promise<number>,
  { paceMs = 0 }: { paceMs?: number } = {},
): {
  poke: () => void;
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;
  let poked = false;
  let wake: (() => void) | undefined;

  function waitFor(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => wake?.(), durationMs);
      wake = () => {
        clearTimeout(timer);
        wake = undefined;
        resolve();
      };
    });
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      poked = false;
      const startedMs = performance.now();
      const waitMs = await look();
      const endedMs = performance.now();
      const pauseMs = startedMs + paceMs - endedMs;
      if (pauseMs > 0) {
        // A poke waits for the pace; `stop` cuts it short.
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
      const leftMs = endedMs + waitMs - performance.now();
      if (!poked && !signal.aborted && leftMs > 0) {
        await waitFor(leftMs);
      }
    }
  }

  // Not before the caller has what it gets from this.
  const running = Promise.resolve().then(run);
  return {
    poke() {
      poked = true;
      wake?.();
    },
    async stop() {
      stopping.abort();
      wake?.();
      await running;
    },
  };
}
