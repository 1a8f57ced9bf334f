/** What a process asks of Redis for one budget; `lease-script.ts` says what each is for. */
export type LeaseAsk = {
  seq: number;
  limit: number;
  wish: number;
  hold: number;
  keep: boolean;
  used: number;
  leaseMs: number;
  sentMs: number;
};
/** `level` is what anyone may hold who wishes for more. */
export type Grant = { slots: number; level: number };

const LEASE_MS = 1000;
/** A small share is in nobody's way for longer, and a quiet number then costs few questions. */
const SMALL_LEASE_MS = 4000;
const SMALL_SHARE = 1 / 8;
/** How soon one asks again who got less than is due to him. */
const SHORT_OF_MS = 250;

/** The slots that this process holds of one budget, and its questions for them. */
export class Lease {
  #slots = 0;
  #expiresMs = 0;
  /** When the lease ends that was asked for last: Redis may know of no other by now. */
  #endsMs = 0;
  #renewMs = 0;
  #askAgainMs = 0;
  #contended = false;
  #applied = 0;
  #underway = 0;
  #wished = 0;
  #refused = 0;
  /** Calls that wait for an answer. */
  waiting = 0;

  slots(nowMs: number): number {
    return nowMs < this.#expiresMs ? this.#slots : 0;
  }

  isIdle(nowMs: number): boolean {
    return nowMs >= this.#expiresMs && this.#underway === 0 && this.waiting === 0;
  }

  refuse(): void {
    this.#refused += 1;
  }

  /** Whether a call that finds no slot has one to hope for, of a question under way or a new one. */
  canGrow(nowMs: number, { used, limit }: { used: number; limit: number }): boolean {
    return nowMs >= this.#askAgainMs && used + this.waiting < limit;
  }

  /** Whether what is under way is enough for one more call. */
  isAskedFor(used: number): boolean {
    return this.#underway > 0 && used + this.waiting < this.#wished;
  }

  /** Whether to ask in the background: half of the lease is over, or the slots soon will be. */
  isDue(nowMs: number, { used, limit }: { used: number; limit: number }): boolean {
    const slots = this.slots(nowMs);
    if (slots === 0 || this.#underway > 0) {
      return false;
    }
    const isTight = used * 4 >= slots * 3 && slots < limit && nowMs >= this.#askAgainMs;
    return nowMs >= this.#renewMs || isTight;
  }

  /**
   * A question. From here on no more than `hold` slots are used, until an answer says otherwise;
   * slots that are not wished for are given back, but for those whose calls are still counted.
   */
  ask(seq: number, now: { nowMs: number; used: number; limit: number }): LeaseAsk {
    const { nowMs, used, limit } = now;
    const small = Math.max(2, Math.floor(limit * SMALL_SHARE));
    // What waits is wished for once: to double a burst would take from others what they wait for.
    const waiting = this.waiting + this.#refused;
    const demand = used + waiting;
    const ample = Math.ceil(used * (this.#contended ? 1.25 : 2)) + waiting;
    const wish = Math.min(limit, demand * 4 <= small * 3 ? small : Math.max(small, ample));
    const keep = this.#underway > 0;
    const slots = this.slots(nowMs);
    const hold = keep ? slots : Math.min(slots, Math.max(wish, used));
    this.#slots = hold;
    this.#refused = 0;
    this.#underway += 1;
    this.#wished = keep ? Math.max(this.#wished, wish) : wish;
    const leaseMs = keep || Math.max(wish, hold) > small ? LEASE_MS : SMALL_LEASE_MS;
    this.#endsMs = nowMs + leaseMs;
    this.#expiresMs = Math.min(this.#expiresMs, this.#endsMs);
    return { seq, limit, wish, hold, keep, used, leaseMs, sentMs: nowMs };
  }

  /** Gives everything back. */
  close(seq: number, now: { nowMs: number; used: number; limit: number }): LeaseAsk {
    const { nowMs, used, limit } = now;
    this.#slots = 0;
    this.#underway += 1;
    return { seq, limit, wish: 0, hold: 0, keep: false, used, leaseMs: 0, sentMs: nowMs };
  }

  /** An answer; true if there are now slots to give back that others are due. */
  answered(ask: LeaseAsk, grant: Grant | undefined): boolean {
    this.#underway -= 1;
    // An answer that was overtaken tells of slots that the later one has settled.
    if (grant === undefined || ask.seq < this.#applied) {
      return false;
    }
    const { slots, level } = grant;
    const { sentMs, leaseMs, wish, limit } = ask;
    this.#applied = ask.seq;
    this.#slots = Math.min(slots, level);
    this.#expiresMs = Math.min(sentMs + leaseMs, this.#endsMs);
    this.#renewMs = sentMs + leaseMs / 2;
    this.#contended = level < limit;
    // The level is rounded up, so that one slot less may be all there is.
    const isShort = slots + 1 < Math.min(level, wish);
    this.#askAgainMs = slots >= wish ? 0 : sentMs + (isShort ? SHORT_OF_MS : LEASE_MS / 2);
    return level < slots;
  }
}
