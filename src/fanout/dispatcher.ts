import { keepLooking } from "../clock.ts";
import { createGroupCommit } from "../events/group-commit.ts";
import { type Log, logBackgroundFailed, logEndpointChanged, logSettleUnmatched } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { AttemptDelivery } from "./attempt.ts";
import type { Claimed, ClaimedDelivery, ClaimLimits } from "./claim.ts";
import { recordAttempt } from "./record-attempt.ts";
import { createUnderWay } from "./under-way.ts";
import { createWanted } from "./wanted.ts";
import type { Settled } from "./settle-attempts.ts";
import type { Settlement } from "./settle.ts";

export type Dispatcher = {
  /** Something may be due for these tenants; cheap, and safe to call as often as one likes. */
  poke(tenantIds: Iterable<string>): void;
  /** What the look once a second has found: for these something is due, or a process died with it. */
  sweep(tenantIds: string[]): void;
  /** Claims nothing more and lets attempts under way finish for `graceMs`; the rest is released. */
  stop(options: { graceMs: number }): Promise<void>;
};

const UNDER_WAY_MAX = 2048;
const UNDER_WAY_BYTES_MAX = 256 * 1024 * 1024;
const CLAIM_MAX = 300;
const SETTLE_BATCH_MAX = 300;
// What is due before that is not left to the look once a second.
const SOON_MS = 1000;
const LOOK_ANYWAY_MS = 60_000;
// Between two claims for a tenant, and between two settles: each costs much, a delivery in it little.
const CLAIM_PACE_MS = 10;
const SETTLE_PACE_MS = 10;

/**
 * PATH 2b: claims what is due, attempts it, settles it. A poke names the tenants that something was
 * committed for, and an attempt that ends names its own; what has become due by time, and what a
 * dead process left, is found by the look once a second.
 */
export function startDispatcher(options: {
  claim: (limits: ClaimLimits) => Promise<Claimed>;
  attempt: AttemptDelivery;
  settle: (settlements: readonly Settlement[]) => Promise<Settled>;
  log: Log;
  metrics: Metrics;
}): Dispatcher {
  const { log, metrics } = options;
  const underWay = createUnderWay({ deliveriesMax: UNDER_WAY_MAX, bytesMax: UNDER_WAY_BYTES_MAX });
  const wanted = createWanted({ paceMs: CLAIM_PACE_MS });
  /** For whom the last claim left what waits for slots or room, or has not answered yet. */
  const unfinished = new Set<string>();
  let swept = false;
  const settling = createGroupCommit<Settlement, boolean>({
    commit: settleTogether,
    weigh: () => 1,
    batchMax: SETTLE_BATCH_MAX,
    paceMs: SETTLE_PACE_MS,
    waitingMax: UNDER_WAY_MAX,
  });

  function poke(tenantIds: Iterable<string>): void {
    wanted.add(tenantIds);
    looking.poke();
  }

  function wantAgain({ delivery, attempt, nextAttemptAt }: Settlement): void {
    if (nextAttemptAt !== null && attempt !== undefined) {
      const endedMs = attempt.startedAt.getTime() + attempt.durationMs;
      const afterMs = nextAttemptAt.getTime() - endedMs;
      if (afterMs < SOON_MS) {
        wanted.addLater(delivery.tenant_id, afterMs);
      }
    }
  }

  async function settleTogether(settlements: readonly Settlement[]): Promise<boolean[]> {
    const { matched, changes } = await options.settle(settlements);
    for (const { endpoint, from, to } of changes) {
      logEndpointChanged(log, {
        endpointId: endpoint.id,
        tenantId: endpoint.tenant_id,
        from,
        to,
      });
    }
    return matched;
  }

  /** Whether more may be due because this has ended, besides what waits for its slot. */
  async function deliver(delivery: ClaimedDelivery, signal: AbortSignal): Promise<boolean> {
    const settlement = await options.attempt(delivery, signal);
    if (await settling.add(settlement)) {
      recordAttempt({ log, metrics }, settlement);
      wantAgain(settlement);
    } else {
      logSettleUnmatched(log, { deliveryIds: [delivery.id] });
    }
    return (
      settlement.state !== "delivered" ||
      delivery.conversation !== null ||
      delivery.endpoint.troubled
    );
  }

  async function deliverAndLook(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    const mayBringMore = await deliver(delivery, signal).catch((err: unknown) => {
      // What could not be settled comes back when its lease runs out.
      logBackgroundFailed(log, { job: "deliver", err });
      return true;
    });
    const wasWithoutRoom = underWay.room() <= 0;
    underWay.remove(delivery);
    if (mayBringMore || unfinished.has(delivery.tenant_id)) {
      poke([delivery.tenant_id]);
    } else if (wasWithoutRoom) {
      // Somebody else may have waited for it.
      looking.poke();
    }
  }

  function start(delivery: ClaimedDelivery): void {
    const cut = new AbortController();
    underWay.add(delivery, deliverAndLook(delivery, cut.signal), cut);
  }

  async function claimFor(tenantIds: string[], lapsed: boolean): Promise<void> {
    const room = underWay.room();
    const deliveriesMax = Math.min(CLAIM_MAX, room);
    tenantIds.forEach((tenantId) => unfinished.add(tenantId));
    const claimed = await options.claim({
      deliveriesMax,
      tenantIds,
      lapsed,
      underWay: underWay.byTenant,
      room,
    });
    claimed.deliveries.forEach(start);
    tenantIds.forEach((tenantId) => unfinished.delete(tenantId));
    for (const [tenantId, afterMs] of claimed.again) {
      unfinished.add(tenantId);
      wanted.addLater(tenantId, afterMs);
    }
  }

  async function lookOnce(): Promise<void> {
    // Without room the next attempt that ends makes it look again.
    const tenantIds = underWay.room() > 0 ? wanted.take() : [];
    if (tenantIds.length > 0) {
      const lapsed = swept;
      swept = false;
      await claimFor(tenantIds, lapsed);
    }
  }

  async function look(): Promise<number> {
    // Whatever fails here is found again by the look once a second.
    await lookOnce().catch((err: unknown) => logBackgroundFailed(log, { job: "claim", err }));
    const soonestMs = wanted.nextMs();
    return underWay.room() > 0 ? Math.min(soonestMs, LOOK_ANYWAY_MS) : LOOK_ANYWAY_MS;
  }

  const looking = keepLooking(look);
  return {
    poke,
    sweep(tenantIds) {
      swept ||= tenantIds.length > 0;
      poke(tenantIds);
    },
    async stop({ graceMs }) {
      await looking.stop();
      const timer = setTimeout(() => underWay.cut(), graceMs);
      await underWay.drained();
      clearTimeout(timer);
    },
  };
}
