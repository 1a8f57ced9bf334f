import { createGroupCommit } from "../events/group-commit.ts";
import { type Log, logBackgroundFailed, logDeliveryAttempted, logSettleUnmatched } from "../log.ts";
import { countAttempt, type Metrics } from "../metrics.ts";
import type { AttemptDelivery } from "./attempt.ts";
import type { ClaimedDelivery } from "./claim.ts";
import type { Settlement } from "./settle.ts";

export type Dispatcher = {
  /** There may be something due; cheap, and safe to call as often as one likes. */
  poke(): void;
  /** Claims nothing more and lets attempts under way finish for `graceMs`; the rest is released. */
  stop(options: { graceMs: number }): Promise<void>;
};

const IN_FLIGHT_MAX = 256;
const CLAIM_MAX = 100;
const SETTLE_BATCH_MAX = 200;
const LOOK_EVERY_MS = 1000;

/**
 * PATH 2b: claims what is due, attempts it, settles it. A poke wakes it at once; without one it
 * looks once a second for what has become due and for what a dead process left.
 */
export function startDispatcher(options: {
  claim: (options: { deliveriesMax: number }) => Promise<ClaimedDelivery[]>;
  attempt: AttemptDelivery;
  settle: (settlements: readonly Settlement[]) => Promise<boolean[]>;
  disableEndpoint: (tenantId: string, endpointId: string) => Promise<void>;
  log: Log;
  metrics: Metrics;
}): Dispatcher {
  const { log, metrics } = options;
  const claiming = new AbortController();
  const attempting = new AbortController();
  const settling = createGroupCommit<Settlement, boolean>({
    commit: options.settle,
    weigh: () => 1,
    batchMax: SETTLE_BATCH_MAX,
    waitingMax: IN_FLIGHT_MAX,
  });
  const inFlight = new Set<Promise<void>>();
  let wake: (() => void) | undefined;
  let poked = false;

  function poke(): void {
    poked = true;
    wake?.();
  }

  async function deliver(delivery: ClaimedDelivery): Promise<void> {
    const { settlement, endpointGone } = await options.attempt(delivery, attempting.signal);
    const matched = await settling.add(settlement);
    if (endpointGone) {
      await options.disableEndpoint(delivery.tenant_id, delivery.endpoint_id);
    }
    if (!matched) {
      logSettleUnmatched(log, { deliveryIds: [delivery.id] });
      return;
    }
    const { attempt } = settlement;
    const outcome = attempt?.outcome ?? "interrupted";
    countAttempt(metrics, { outcome });
    logDeliveryAttempted(log, {
      deliveryId: delivery.id,
      eventId: delivery.event_id,
      endpointId: delivery.endpoint_id,
      tenantId: delivery.tenant_id,
      attemptNumber: delivery.attempt_count,
      status: attempt?.status ?? null,
      outcome,
      durationMs: attempt?.durationMs ?? 0,
    });
  }

  function start(delivery: ClaimedDelivery): void {
    const work = deliver(delivery)
      // What could not be settled comes back when its lease runs out.
      .catch((error: unknown) => logBackgroundFailed(log, { job: "deliver", err: error }))
      .finally(() => {
        inFlight.delete(work);
        // A slot is free, and its endpoint may have more waiting.
        poke();
      });
    inFlight.add(work);
  }

  async function claimOnce(): Promise<void> {
    const deliveriesMax = Math.min(CLAIM_MAX, IN_FLIGHT_MAX - inFlight.size);
    if (deliveriesMax <= 0) {
      return;
    }
    const claimed = await options.claim({ deliveriesMax });
    claimed.forEach(start);
    poked ||= claimed.length === deliveriesMax;
  }

  async function run(): Promise<void> {
    while (!claiming.signal.aborted) {
      poked = false;
      await claimOnce().catch((error: unknown) => {
        logBackgroundFailed(log, { job: "claim", err: error });
        poked = false;
      });
      await nextLook();
    }
  }

  function nextLook(): Promise<void> {
    if (poked || claiming.signal.aborted) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_EVERY_MS);
      wake = () => {
        clearTimeout(timer);
        wake = undefined;
        resolve();
      };
    });
  }

  const running = run();
  return {
    poke,
    async stop({ graceMs }) {
      claiming.abort();
      wake?.();
      await running;
      const cut = setTimeout(() => attempting.abort(), graceMs);
      await Promise.all(inFlight);
      clearTimeout(cut);
    },
  };
}
