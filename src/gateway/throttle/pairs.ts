import { createGather } from "./gather.ts";
import { PAIR_AHEAD_MS, PAIR_BURST, PAIR_EVERY_MS, pairScript } from "./pair-script.ts";
import type { Room } from "./budget.ts";
import { type Pair, type PairState, PairTable } from "./pair-table.ts";
import type { Shared } from "./shared.ts";
import { SweptMap } from "./swept-map.ts";

type Block = { untilMs: number; inARow: number };

const LIFETIME_MS = PAIR_EVERY_MS * PAIR_BURST;
const UNTOLD_MAX = 3;
const BLOCK_MAX_MS = 3_600_000;

/**
 * How fast one number may write to one user: one send in six seconds, 45 of them borrowed from the
 * future at most. With Redis three sends of a process go without asking, and the fourth takes them
 * along; those that come before its answer ask too. So each process may let through three more than
 * the 45, and as many again for a pair that it forgot because there were half a million others. In
 * return the usual send to a user costs no round trip.
 */
export class Pairs {
  readonly #table = new PairTable({ worthKeepingMs: PAIR_EVERY_MS });
  /** How many questions are under way: until they are answered, what they tell is not known there. */
  readonly #asking = new Map<string, number>();
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

  room(pair: Pair, nowMs: number, isShared: boolean): Room {
    const { fullMs, untold } = this.#table.get(pair);
    if (this.#blockedMs(pair, nowMs) > 0 || fullMs - nowMs > PAIR_AHEAD_MS) {
      return "full";
    }
    return isShared && (untold >= UNTOLD_MAX || this.#asking.has(pair.key)) ? "ask" : "free";
  }

  freeInMs(pair: Pair, nowMs: number): number {
    const { fullMs } = this.#table.get(pair);
    return Math.max(this.#blockedMs(pair, nowMs), fullMs - nowMs - PAIR_AHEAD_MS);
  }

  #blockedMs(pair: Pair, nowMs: number): number {
    const block = this.#blocks.size === 0 ? undefined : this.#blocks.get(pair.key);
    return (block?.untilMs ?? 0) - nowMs;
  }

  take(pair: Pair, nowMs: number): void {
    this.#change(pair, ({ fullMs, untold }) => {
      const ahead = Math.max(fullMs, nowMs) + PAIR_EVERY_MS;
      // While Redis is away they add up, and most have long been regained: no more than the usual
      // few are told besides those that still count here.
      const worthTelling = Math.max(UNTOLD_MAX, Math.ceil((ahead - nowMs) / PAIR_EVERY_MS));
      return { fullMs: ahead, untold: Math.min(untold + 1, worthTelling) };
    });
  }

  /** For a send that another limit stopped. */
  putBack(pair: Pair): void {
    this.#change(pair, ({ fullMs, untold }) => ({
      fullMs: fullMs - PAIR_EVERY_MS,
      untold: untold - 1,
    }));
  }

  #change(pair: Pair, change: (state: PairState) => PairState): void {
    this.#table.set(pair, change(this.#table.get(pair)), this.#now());
  }

  #answered(pair: Pair): void {
    const others = (this.#asking.get(pair.key) ?? 1) - 1;
    if (others === 0) {
      this.#asking.delete(pair.key);
    } else {
      this.#asking.set(pair.key, others);
    }
  }

  /** Takes one here and at Redis: false if Redis knows better. Without an answer our own word counts. */
  async ask(pair: Pair): Promise<boolean> {
    const told = this.#table.get(pair).untold;
    this.take(pair, this.#now());
    this.#change(pair, (state) => ({ ...state, untold: 0 }));
    this.#asking.set(pair.key, (this.#asking.get(pair.key) ?? 0) + 1);
    let goes = true;
    await this.#gather({
      pair,
      told,
      wanted: true,
      atLeastMs: 0,
      settle: (row, sentMs) => {
        this.#answered(pair);
        if (row === undefined) {
          this.#change(pair, (state) => ({ ...state, untold: state.untold + told + 1 }));
          return;
        }
        const [isAdmitted, fullInMs] = row;
        goes = isAdmitted === 1;
        this.#change(pair, ({ fullMs, untold }) => {
          const known = goes ? fullMs : fullMs - PAIR_EVERY_MS;
          const atRedisMs = sentMs + fullInMs + untold * PAIR_EVERY_MS;
          return { fullMs: Math.max(known, atRedisMs), untold };
        });
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
    const { fullMs, untold: told } = this.#table.get(pair);
    const emptied = { fullMs: Math.max(fullMs, nowMs + LIFETIME_MS), untold: 0 };
    this.#table.set(pair, emptied, nowMs);
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
