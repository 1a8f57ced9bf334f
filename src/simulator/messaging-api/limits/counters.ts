/** Counts what happened to each name within a sliding time. */
export class SlidingWindows {
  readonly #windowMs: number;
  readonly #byName = new Map<string, number[]>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Counts one more, unless there are as many already. */
  take(name: string, most: number, nowMs: number): boolean {
    const times = this.#byName.get(name) ?? [];
    this.#byName.set(name, times);
    const firstLiving = times.findIndex((atMs) => atMs > nowMs - this.#windowMs);
    times.splice(0, firstLiving === -1 ? times.length : firstLiving);
    if (times.length >= most) {
      return false;
    }
    times.push(nowMs);
    return true;
  }
}

/** Lets each name do something at a steady pace, with a burst borrowed from the future. */
export class Paces {
  /** When what was taken so far would have been due at the steady pace. */
  readonly #dueMsByName = new Map<string, number>();

  /** Takes one, unless the burst is used up. */
  take(name: string, pace: { everyMs: number; burst: number }, nowMs: number): boolean {
    const dueMs = Math.max(this.#dueMsByName.get(name) ?? 0, nowMs) + pace.everyMs;
    if (dueMs > nowMs + pace.burst * pace.everyMs) {
      return false;
    }
    this.#dueMsByName.set(name, dueMs);
    return true;
  }
}
