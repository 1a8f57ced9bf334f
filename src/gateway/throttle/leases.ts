import { randomUUID } from "node:crypto";
import type { Budget } from "./budget.ts";
import { createGather } from "./gather.ts";
import type { LeaseAsk } from "./lease.ts";
import { leaseScript } from "./lease-script.ts";
import type { Shared } from "./shared.ts";

/** Gets slots for budgets from Redis, which all processes share. */
export type Leases = {
  /** One more slot than this process has; resolves after one round trip, whatever came of it. */
  getMore: (budget: Budget, nowMs: number) => Promise<void>;
  /** Renews and grows in the background what is in use. */
  tend: (budget: Budget, nowMs: number) => void;
  /** Tells the others what upstream has taught. */
  tell: (budget: Budget) => void;
  giveBack: (budgets: Iterable<Budget>) => Promise<void>;
};

export function createLeases(options: { shared: Shared; now: () => number }): Leases {
  const { shared, now } = options;
  const processId = randomUUID();
  let seq = 0;

  async function put(budgets: Budget[], asks: LeaseAsk[]): Promise<void> {
    const rows = (await shared.run(
      leaseScript,
      budgets.map(({ key }) => key),
      [processId, ...budgets.map((budget, i) => written(budget, asks[i] as LeaseAsk))],
    )) as [number, number, number, number][] | undefined;
    for (const [i, budget] of budgets.entries()) {
      const ask = asks[i] as LeaseAsk;
      const row = rows?.[i];
      const isFresh = row !== undefined && row[0] >= 0;
      const surplus = budget.lease.answered(
        ask,
        isFresh ? { slots: row[0], level: row[1] } : undefined,
      );
      if (isFresh) {
        budget.untold = false;
        budget.slowdown.join({ slowMs: row[2], blockedMs: row[3] }, ask.sentMs);
      }
      if (surplus) {
        void question(budget);
      }
    }
  }

  const gather = createGather<Budget>((budgets) => {
    const nowMs = now();
    return put(
      budgets,
      budgets.map((budget) => budget.lease.ask(++seq, here(budget, nowMs))),
    );
  });
  const question = (budget: Budget): Promise<void> => (budget.asked = gather(budget));

  return {
    async getMore(budget, nowMs) {
      const { lease, window } = budget;
      const asked = lease.isAskedFor(window.used(nowMs)) ? budget.asked : question(budget);
      lease.waiting += 1;
      await asked;
      lease.waiting -= 1;
    },
    tend(budget, nowMs) {
      if (budget.lease.isDue(nowMs, here(budget, nowMs))) {
        void question(budget);
      }
    },
    tell(budget) {
      budget.untold = true;
      void question(budget);
    },
    async giveBack(all) {
      const nowMs = now();
      const budgets = [...all].filter(({ lease }) => lease.slots(nowMs) > 0);
      if (budgets.length > 0) {
        await put(
          budgets,
          budgets.map((budget) => budget.lease.close(++seq, here(budget, nowMs))),
        );
      }
    },
  };
}

const here = (budget: Budget, nowMs: number) => ({
  nowMs,
  used: budget.window.used(nowMs),
  limit: budget.limitNow(nowMs),
});

/** As the script reads it. */
function written(budget: Budget, ask: LeaseAsk): string {
  const { seq, limit, wish, hold, keep, used, leaseMs, sentMs } = ask;
  const { slowMs, blockedMs } = budget.untold
    ? budget.slowdown.left(sentMs)
    : { slowMs: 0, blockedMs: 0 };
  return `${seq} ${limit} ${wish} ${hold} ${keep ? 1 : 0} ${used} ${leaseMs} ${slowMs} ${blockedMs}`;
}
