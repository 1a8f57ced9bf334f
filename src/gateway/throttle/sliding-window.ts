/**
 * How long a slot is taken: the second that is promised, and a margin so that calls which leave in
 * time do not arrive crowded because the network held the earlier ones back.
 */
export const WINDOW_MS = 1025;

/** When each call of the last window left; exact, in a ring that grows with use. */
export class SlidingWindow {
  #times = new Float64Array(8);
  #first = 0;
  #count = 0;

  used(nowMs: number): number {
    const size = this.#times.length;
    while (this.#count > 0 && (this.#times[this.#first] ?? 0) <= nowMs - WINDOW_MS) {
      this.#first = (this.#first + 1) % size;
      this.#count -= 1;
    }
    return this.#count;
  }

  add(nowMs: number): void {
    if (this.#count === this.#times.length) {
      this.#grow();
    }
    this.#times[(this.#first + this.#count) % this.#times.length] = nowMs;
    this.#count += 1;
  }

  /** How long until fewer than `slots` are used, of which there is at least one. */
  freeInMs(nowMs: number, slots: number): number {
    const surplus = this.used(nowMs) - slots;
    if (surplus < 0) {
      return 0;
    }
    const last = this.#times[(this.#first + surplus) % this.#times.length] ?? nowMs;
    return last + WINDOW_MS - nowMs;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    times.set(this.#times.subarray(this.#first));
    times.set(this.#times.subarray(0, this.#first), this.#times.length - this.#first);
    this.#times = times;
    this.#first = 0;
  }
}
