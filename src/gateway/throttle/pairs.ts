import { createGather } from "./gather.ts";
import { PAIR_AHEAD_MS, PAIR_BURST, PAIR_EVERY_MS, pairScript } from "./pair-script.ts";
import type { Room } from "./budget.ts";
import type { Shared } from "./shared.ts";
import { SweptMap } from "./swept-map.ts";
import { TwoGenerations } from "./two-generations.ts";

/** A number and a user. */
export type Pair = {
  key: string;
  /** When it has its whole burst again, as far as this process knows. */
  fullMs: number;
  /** Sends that Redis does not know of; below zero, those it knows that were not made. */
  untold: number;
};

type Block = { untilMs: number; inARow: number };

const LIFETIME_MS = PAIR_EVERY_MS * PAIR_BURST;
const PAIRS_MAX = 200_000;
const UNTOLD_MAX = 3;
const BLOCK_MAX_MS = 3_600_000;

/**
 * How fast one number may write to one user: one send in six seconds, 45 of them borrowed from the
 * future at most. With Redis three sends of a process go without asking, and the fourth takes them
 * along: so each process may let through three more than the 45, and as many again for a pair that
 * it forgot, after 270 s of silence or because there were 200,000 newer ones. In return the usual
 * send to a user costs no round trip.
 */
export class Pairs {
  readonly #pairs = new TwoGenerations<Pair>({ lifetimeMs: LIFETIME_MS, entriesMax: PAIRS_MAX });
  readonly #blocks = new SweptMap<Block>((block, nowMs) => nowMs > block.untilMs + LIFETIME_MS);
  readonly #now: () => number;
  readonly #gather: (question: Question) => Promise<void>;

  constructor(options: { shared: Shared; prefix: string; now: () => number }) {
    const { shared, prefix, now } = options;
    this.#now = now;
    this.#gather = createGather(async (questions) => {
      const sentMs = now();
      const rows = await shared.run(
        pairScript,
        questions.map(({ pair }) => `${prefix}:pair:${pair.key}`),
        questions.map(({ told, wanted, atLeastMs }) => `${told} ${wanted ? 1 : 0} ${atLeastMs}`),
      );
      for (const [i, question] of questions.entries()) {
        question.settle(rows?.[i] as [number, number] | undefined, sentMs);
      }
    });
  }

  of(phoneNumberId: string, user: string, nowMs: number): Pair {
    const key = `${phoneNumberId}:${user}`;
    const known = this.#pairs.get(key, nowMs);
    if (known !== undefined) {
      return known;
    }
    const pair = { key, fullMs: 0, untold: 0 };
    this.#pairs.set(key, pair, nowMs);
    return pair;
  }

  room(pair: Pair, nowMs: number, isShared: boolean): Room {
    if (this.freeInMs(pair, nowMs) > 0) {
      return "full";
    }
    return isShared && pair.untold >= UNTOLD_MAX ? "ask" : "free";
  }

  freeInMs(pair: Pair, nowMs: number): number {
    const block = this.#blocks.size === 0 ? undefined : this.#blocks.get(pair.key);
    return Math.max((block?.untilMs ?? 0) - nowMs, pair.fullMs - nowMs - PAIR_AHEAD_MS);
  }

  take(pair: Pair, nowMs: number): void {
    pair.fullMs = Math.max(pair.fullMs, nowMs) + PAIR_EVERY_MS;
    pair.untold += 1;
  }

  /** For a send that another limit stopped. */
  putBack(pair: Pair): void {
    pair.fullMs -= PAIR_EVERY_MS;
    pair.untold -= 1;
  }

  /** Takes one here and at Redis: false if Redis knows better. Without an answer our own word counts. */
  async ask(pair: Pair): Promise<boolean> {
    const told = pair.untold;
    this.take(pair, this.#now());
    pair.untold = 0;
    let goes = true;
    await this.#gather({
      pair,
      told,
      wanted: true,
      atLeastMs: 0,
      settle(row, sentMs) {
        if (row === undefined) {
          pair.untold += told + 1;
          return;
        }
        goes = row[0] === 1;
        const known = goes ? pair.fullMs : pair.fullMs - PAIR_EVERY_MS;
        pair.fullMs = Math.max(known, sentMs + row[1] + pair.untold * PAIR_EVERY_MS);
      },
    });
    return goes;
  }

  /**
   * Upstream has had too much of this pair: it waits 4, 16, 64 … seconds, the longer the oftener in
   * a row, and begins again with an empty burst.
   */
  block(pair: Pair, nowMs: number): void {
    const block = this.#blocks.get(pair.key);
    // What was under way when the block began is no news.
    if (block !== undefined && nowMs < block.untilMs) {
      return;
    }
    const isInARow = block !== undefined && nowMs <= block.untilMs + LIFETIME_MS;
    const inARow = isInARow ? block.inARow + 1 : 1;
    const blockMs = Math.min(BLOCK_MAX_MS, 4 ** inARow * 1000);
    this.#blocks.set(pair.key, { untilMs: nowMs + blockMs, inARow }, nowMs);
    pair.fullMs = Math.max(pair.fullMs, nowMs + LIFETIME_MS);
    const told = pair.untold;
    pair.untold = 0;
    const atLeastMs = Math.max(LIFETIME_MS, PAIR_AHEAD_MS + blockMs);
    void this.#gather({ pair, told, wanted: false, atLeastMs, settle: () => {} });
  }
}

type Question = {
  pair: Pair;
  told: number;
  wanted: boolean;
  atLeastMs: number;
  settle: (row: [number, number] | undefined, sentMs: number) => void;
};
