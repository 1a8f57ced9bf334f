/** Time that passes from event to event, and no faster than what the events set off. */
export type VirtualTime = {
  now: () => number;
  after: (delayMs: number, event: () => unknown) => void;
  pass: (durationMs: number) => Promise<void>;
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

export function createVirtualTime(): VirtualTime {
  const events: { atMs: number; event: () => unknown }[] = [];
  let nowMs = 1_000_000;

  return {
    now: () => nowMs,
    after: (delayMs, event) => void events.push({ atMs: nowMs + delayMs, event }),
    async pass(durationMs) {
      const endMs = nowMs + durationMs;
      for (;;) {
        const next = events.reduce<(typeof events)[number] | undefined>(
          (first, one) => (first === undefined || one.atMs < first.atMs ? one : first),
          undefined,
        );
        if (next === undefined || next.atMs > endMs) {
          nowMs = endMs;
          return;
        }
        events.splice(events.indexOf(next), 1);
        nowMs = next.atMs;
        await next.event();
        // What is gathered in a turn is asked at its end, and answered in the next.
        await turn();
        await turn();
      }
    },
  };
}
