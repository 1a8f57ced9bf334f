import type { Secret } from "../../secret.ts";
import { Budget, type Room } from "./budget.ts";
import { createLeases } from "./leases.ts";
import { MediaLookups } from "./media-lookups.ts";
import { PAIR_BURST, PAIR_EVERY_MS } from "./pair-script.ts";
import { Pair } from "./pair-table.ts";
import { Pairs } from "./pairs.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { openShared, type Shared } from "./shared.ts";
import { SweptMap } from "./swept-map.ts";
import { findUpstreamSignal, META_LIMITS, type UpstreamAnswer } from "./upstream-signal.ts";

export type ThrottledNumber = { phoneNumberId: string; throughput: 20 | 80 | 1000 };

/** An answer of upstream's, and the limit under which the call went. */
export type ThrottledAnswer = UpstreamAnswer & {
  limit: "number" | "upload" | "media_lookup";
  user: string | undefined;
};

type Verdict = Refusal | undefined;

/** What 360dialog and Meta let a number do, kept by us so that they need not. */
export type Throttle = {
  /**
   * One send; `user` undefined takes no pair slot. Undefined: go. Takes both slots or none.
   * Synchronous whenever no answer of Redis is needed, and never waits for more than one.
   */
  takeSend: (number: ThrottledNumber, user: string | undefined) => Verdict | Promise<Verdict>;
  /** What `takeSend` would say as far as this process knows, taking nothing. */
  peekSend: (number: ThrottledNumber, user: string | undefined) => Verdict;
  takeUpload: (number: ThrottledNumber) => Verdict | Promise<Verdict>;
  /** Each look-up that may go is to be followed by `noteMediaLookup`, unless upstream said nothing. */
  takeMediaLookup: (number: ThrottledNumber, mediaId: string) => Verdict;
  noteMediaLookup: (number: ThrottledNumber, mediaId: string, found: boolean) => void;
  /** What an answer of upstream teaches; looks at the body only of an error. */
  learn: (number: ThrottledNumber, answer: ThrottledAnswer) => void;
  /** A `failed` status that came by webhook teaches by its code. */
  learnFromStatus: (phoneNumberId: string, user: string | undefined, code: number) => void;
  state: () => "ok" | "lost" | "absent";
  /** Gives back what other processes could use, and closes the connection. */
  stop: () => Promise<void>;
};

const THROUGHPUT_DEFAULT = 80;
const UPLOADS_PER_SECOND = 25;
const PAIR_QUOTA = { calls: PAIR_BURST, seconds: (PAIR_BURST * PAIR_EVERY_MS) / 1000 };
// 360dialog does not say how long; its block lasts half an hour, and another try may prolong it.
const MEDIA_BLOCK_MS = 60_000;

/**
 * Opens the throttle. With Redis its limits hold for all processes with the same prefix; without, or
 * while it is gone, for this process alone. `now` is a clock that never goes back.
 */
export function createThrottle(options: {
  url: Secret | undefined;
  prefix: string;
  now?: () => number;
  open?: (url: Secret | undefined) => Shared;
}): Throttle {
  const { url, now = () => performance.now(), open = openShared } = options;
  const prefix = `${options.prefix}:throttle`;
  const shared = open(url);
  const leases = createLeases({ shared, now });
  const pairs = new Pairs({ shared, prefix, now });
  const media = new MediaLookups({ shared, prefix, now });
  const budgets = { number: new SweptMap(isIdle), upload: new SweptMap(isIdle) };

  function budgetOf(
    kind: "number" | "upload",
    phoneNumberId: string,
    limit: number | undefined,
  ): Budget {
    let budget = budgets[kind].get(phoneNumberId);
    if (budget === undefined) {
      const key = `${prefix}:${kind}:${phoneNumberId}`;
      budget = new Budget(kind, { key, limit: limit ?? THROUGHPUT_DEFAULT });
      budgets[kind].set(phoneNumberId, budget, now());
    }
    budget.limit = limit ?? budget.limit;
    return budget;
  }
  const sendsOf = ({ phoneNumberId, throughput }: ThrottledNumber): Budget =>
    budgetOf("number", phoneNumberId, throughput);
  const uploadsOf = (phoneNumberId: string): Budget =>
    budgetOf("upload", phoneNumberId, UPLOADS_PER_SECOND);

  const budgetRefusal = (budget: Budget, nowMs: number): Refusal =>
    refusalOf(
      budget.kind,
      { calls: budget.limit, seconds: 1 },
      budget.freeInMs(nowMs, shared.usable()),
    );
  const pairRefusal = (pair: Pair, nowMs: number): Refusal =>
    refusalOf("pair", PAIR_QUOTA, pairs.freeInMs(pair, nowMs));

  function refuse(budget: Budget, nowMs: number): Refusal {
    budget.lease.refuse();
    leases.tend(budget, nowMs);
    return budgetRefusal(budget, nowMs);
  }

  function take(budget: Budget, pair: Pair | undefined, nowMs: number): Verdict | Promise<Verdict> {
    const isShared = shared.usable();
    const room = budget.room(nowMs, isShared);
    if (room === "full") {
      return refuse(budget, nowMs);
    }
    const pairRoom = pair === undefined ? "free" : pairs.room(pair, nowMs, isShared);
    if (pair !== undefined && pairRoom === "full") {
      return pairRefusal(pair, nowMs);
    }
    if (room === "ask" || pairRoom === "ask") {
      return askAndTake({ budget, room, pair, pairRoom, nowMs });
    }
    if (pair !== undefined) {
      pairs.take(pair, nowMs);
    }
    budget.window.add(nowMs);
    if (isShared) {
      leases.tend(budget, nowMs);
    }
    return undefined;
  }

  /** The pair's slot is taken first and put back if the number has none: an answer takes its time. */
  async function askAndTake(wanted: {
    budget: Budget;
    room: Room;
    pair: Pair | undefined;
    pairRoom: Room;
    nowMs: number;
  }): Promise<Verdict> {
    const { budget, room, pair, pairRoom, nowMs } = wanted;
    let pairGoes: Promise<boolean> | undefined;
    if (pair !== undefined && pairRoom === "ask") {
      pairGoes = pairs.ask(pair);
    } else if (pair !== undefined) {
      pairs.take(pair, nowMs);
    }
    if (room === "ask") {
      await leases.getMore(budget, nowMs);
    }
    const isStopped = (await pairGoes) === false;
    const thenMs = now();
    if (pair !== undefined && isStopped) {
      return pairRefusal(pair, thenMs);
    }
    if (budget.room(thenMs, shared.usable()) !== "free") {
      if (pair !== undefined) {
        pairs.putBack(pair);
      }
      return refuse(budget, thenMs);
    }
    budget.window.add(thenMs);
    return undefined;
  }

  function signal(budget: Budget, retryAfterMs: number): void {
    budget.slowdown.signal(now(), retryAfterMs);
    if (shared.usable()) {
      leases.tell(budget);
    }
  }

  function blockPair(phoneNumberId: string, user: string | undefined): void {
    if (user !== undefined) {
      const nowMs = now();
      pairs.block(new Pair(phoneNumberId, user), nowMs);
    }
  }

  return {
    takeSend(number, user) {
      const nowMs = now();
      const pair = user === undefined ? undefined : new Pair(number.phoneNumberId, user);
      return take(sendsOf(number), pair, nowMs);
    },
    peekSend(number, user) {
      const nowMs = now();
      const budget = sendsOf(number);
      if (budget.room(nowMs, shared.usable()) === "full") {
        return budgetRefusal(budget, nowMs);
      }
      const pair = user === undefined ? undefined : new Pair(number.phoneNumberId, user);
      return pair !== undefined && pairs.freeInMs(pair, nowMs) > 0
        ? pairRefusal(pair, nowMs)
        : undefined;
    },
    takeUpload: ({ phoneNumberId }) => take(uploadsOf(phoneNumberId), undefined, now()),
    takeMediaLookup: ({ phoneNumberId }, mediaId) => media.take(phoneNumberId, mediaId),
    noteMediaLookup: ({ phoneNumberId }, mediaId, found) =>
      media.note(phoneNumberId, mediaId, found),
    learn(number, answer) {
      const found = answer.status < 400 ? undefined : findUpstreamSignal(answer, Date.now());
      if (found === undefined) {
        return;
      }
      const { phoneNumberId } = number;
      const { kind, retryAfterMs } = found;
      if (kind === "pair") {
        blockPair(phoneNumberId, answer.user);
      } else if (answer.limit === "media_lookup") {
        media.block(phoneNumberId, retryAfterMs || MEDIA_BLOCK_MS);
      } else if (answer.limit === "upload") {
        signal(uploadsOf(phoneNumberId), retryAfterMs);
      } else {
        signal(sendsOf(number), retryAfterMs);
      }
    },
    learnFromStatus(phoneNumberId, user, code) {
      const kind = META_LIMITS.get(code);
      if (kind === "throughput") {
        signal(budgetOf("number", phoneNumberId, undefined), 0);
      } else if (kind === "pair") {
        blockPair(phoneNumberId, user);
      }
    },
    state: shared.state,
    async stop() {
      if (shared.usable()) {
        await leases.giveBack([...budgets.number.values(), ...budgets.upload.values()]);
      }
      await shared.stop();
    },
  };
}

const isIdle = (budget: Budget, nowMs: number): boolean => budget.isIdle(nowMs);
