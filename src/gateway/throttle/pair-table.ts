import { randomBytes } from "node:crypto";

/** One number and one user, for as long as a call goes on; what is known of them is in the table. */
export class Pair {
  readonly phoneNumberId: string;
  readonly user: string;
  readonly high: number;
  readonly low: number;

  constructor(phoneNumberId: string, user: string) {
    this.phoneNumberId = phoneNumberId;
    this.user = user;
    const [high, low] = hashOf(phoneNumberId, user);
    this.high = high;
    this.low = low;
  }

  get key(): string {
    return `${this.phoneNumberId}:${this.user}`;
  }
}

export type PairState = {
  /** When it has its whole burst again, as far as this process knows. */
  fullMs: number;
  /** Sends that Redis does not know of; below zero, those it knows that were not made. */
  untold: number;
};

const SLOTS_MIN = 1024;
const PAIRS_CROWDED = 500_000;

/**
 * The state of pairs, in plain numbers by a hash of 64 bits. A campaign brings a new pair with every
 * send, and an object and a key for each kept the garbage collector busy for a seventh of a forwarded
 * message's CPU. A pair with its whole burst is like one never seen, so it is forgotten when room is
 * needed; when half a million are not, those that sent once are.
 */
export class PairTable {
  #high = new Int32Array(SLOTS_MIN);
  #low = new Int32Array(SLOTS_MIN);
  #fullMs = new Float64Array(SLOTS_MIN);
  #untold = new Int16Array(SLOTS_MIN);
  #used = 0;
  readonly #worthKeepingMs: number;

  /** A pair that is `worthKeepingMs` from its whole burst has sent more than once. */
  constructor(options: { worthKeepingMs: number }) {
    this.#worthKeepingMs = options.worthKeepingMs;
  }

  get(pair: Pair): PairState {
    const slot = this.#find(pair.high, pair.low);
    return this.#isFree(slot)
      ? { fullMs: 0, untold: 0 }
      : { fullMs: this.#fullMs[slot] ?? 0, untold: this.#untold[slot] ?? 0 };
  }

  set(pair: Pair, state: PairState, nowMs: number): void {
    let slot = this.#find(pair.high, pair.low);
    if (this.#isFree(slot)) {
      if (this.#used * 2 >= this.#high.length) {
        this.#makeRoom(nowMs);
        slot = this.#find(pair.high, pair.low);
      }
      this.#high[slot] = pair.high;
      this.#low[slot] = pair.low;
      this.#used += 1;
    }
    this.#fullMs[slot] = state.fullMs;
    this.#untold[slot] = state.untold;
  }

  /** Where it is, or where it would go: the slots behind its hash, in a row. */
  #find(high: number, low: number): number {
    const mask = this.#high.length - 1;
    let slot = low & mask;
    while (!this.#isFree(slot) && (this.#high[slot] !== high || this.#low[slot] !== low)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isFree(slot: number): boolean {
    return this.#high[slot] === 0 && this.#low[slot] === 0;
  }

  #makeRoom(nowMs: number): void {
    const [high, low, fullMs, untold] = [this.#high, this.#low, this.#fullMs, this.#untold];
    const isCrowded = countAbove(fullMs, nowMs) > PAIRS_CROWDED;
    const keptFromMs = isCrowded ? nowMs + this.#worthKeepingMs : nowMs;
    const kept = countAbove(fullMs, keptFromMs);
    let slots = SLOTS_MIN;
    while (slots < kept * 4) {
      slots *= 2;
    }
    this.#high = new Int32Array(slots);
    this.#low = new Int32Array(slots);
    this.#fullMs = new Float64Array(slots);
    this.#untold = new Int16Array(slots);
    this.#used = 0;
    for (let from = 0; from < high.length; from++) {
      if ((fullMs[from] ?? 0) > keptFromMs) {
        const to = this.#find(high[from] ?? 0, low[from] ?? 0);
        this.#high[to] = high[from] ?? 0;
        this.#low[to] = low[from] ?? 0;
        this.#fullMs[to] = fullMs[from] ?? 0;
        this.#untold[to] = untold[from] ?? 0;
        this.#used += 1;
      }
    }
  }
}

function countAbove(values: Float64Array, bound: number): number {
  let count = 0;
  for (const value of values) {
    count += value > bound ? 1 : 0;
  }
  return count;
}

// Nobody outside can choose two pairs that meet.
const SEED = randomBytes(8);
const SEEDS = { high: SEED.readInt32LE(0), low: SEED.readInt32LE(4) };

/** Two multiplicative hashes (FNV's step) with seeds of this process, finished by mixing. */
function hashOf(phoneNumberId: string, user: string): [high: number, low: number] {
  let { high, low } = SEEDS;
  for (let index = 0; index < phoneNumberId.length; index++) {
    const code = phoneNumberId.charCodeAt(index);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995);
  }
  high = Math.imul(high ^ 0x10000, 0x01000193);
  low = Math.imul(low ^ 0x10000, 0x5bd1e995);
  for (let index = 0; index < user.length; index++) {
    const code = user.charCodeAt(index);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995);
  }
  // Zero twice says that a slot is free.
  return [mixed(high), mixed(low) || 1];
}

/** MurmurHash3's finish: each bit of the result depends on each bit given. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
