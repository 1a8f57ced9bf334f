import { readConfig } from "../../src/config.ts";
import { type Outage, type Recovery, simulateRecovery } from "./simulate.ts";

/** Three hours at 20 events a second, and a receiver that then bears 100 a second. */
export const OUTAGE: Omit<Outage, "refusesWith"> = {
  hours: 3,
  eventsPerSecond: 20,
  capacityPerSecond: 100,
  latencyMs: 30,
  maxInFlight: 10,
};

/** 1.25 times what the backlog takes at full capacity: 45 minutes. */
export const NEARLY_ALL_WITHIN_MINUTES =
  (1.25 * OUTAGE.hours * 60 * OUTAGE.eventsPerSecond) / OUTAGE.capacityPerSecond;
export const USELESS_CALLS_MAX = 10_000;

/** With the policies that the gateway has unless it is told otherwise; the same chance every time. */
export function recover(options: { refusesWith: 429 | 503; hold: boolean }): Recovery {
  const config = readConfig({});
  return simulateRecovery({
    outage: { ...OUTAGE, refusesWith: options.refusesWith },
    retryPolicy: { scheduleMs: config.RETRY_SCHEDULE, horizonMs: config.RETRY_HORIZON },
    conditionPolicy: options.hold
      ? {
          holdAfter: config.HOLD_AFTER,
          probeEveryMs: config.PROBE_EVERY,
          disableAfterMs: config.DISABLE_AFTER,
        }
      : undefined,
    random: chance(1),
  });
}

/** A linear congruential generator (Numerical Recipes): even enough to spread retries. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
