import type { Refusal } from "../../src/gateway/throttle/refusal.ts";

export type Offered<Refused = Refusal> = {
  /** When each call was let through, by the caller's clock. */
  admittedMs: number[];
  refused: Refused[];
  /** The longest that a call waited for its answer. */
  waitedMsMax: number;
};

const TICK_MS = 2;

/** Offers calls at an even rate, whatever becomes of them. */
export async function offerLoad<Refused = Refusal>(options: {
  take: () => Refused | undefined | Promise<Refused | undefined>;
  perSecond: number;
  seconds: number;
  now: () => number;
}): Promise<Offered<Refused>> {
  const { take, perSecond, seconds, now } = options;
  const offered: Offered<Refused> = { admittedMs: [], refused: [], waitedMsMax: 0 };
  const calls: Promise<void>[] = [];
  const beginMs = now();

  async function call(): Promise<void> {
    const askedMs = now();
    const taken = take();
    const refusal = taken instanceof Promise ? await taken : taken;
    const nowMs = now();
    offered.waitedMsMax = Math.max(offered.waitedMsMax, nowMs - askedMs);
    if (refusal === undefined) {
      offered.admittedMs.push(nowMs);
    } else {
      offered.refused.push(refusal);
    }
  }

  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = Math.min(seconds, (now() - beginMs) / 1000);
      while (calls.length < elapsed * perSecond) {
        calls.push(call());
      }
      if (elapsed === seconds) {
        clearInterval(timer);
        resolve();
      }
    }, TICK_MS);
  });
  await Promise.all(calls);
  return offered;
}

/** The most of these points in time that lie within any one second. */
export function mostInASecond(...timesMs: number[][]): number {
  const times = timesMs.flat().toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [last, timeMs] of times.entries()) {
    while ((times[first] ?? timeMs) <= timeMs - 1000) {
      first += 1;
    }
    most = Math.max(most, last - first + 1);
  }
  return most;
}
