const SWEEP_FROM = 1024;

/**
 * A map of what is in use: entries that have gone idle are swept out whenever it has doubled, so
 * that it stays within twice of that and no call pays for more than its own entry.
 */
export class SweptMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #isIdle: (value: Value, nowMs: number) => boolean;
  #sweepAt = SWEEP_FROM;

  constructor(isIdle: (value: Value, nowMs: number) => boolean) {
    this.#isIdle = isIdle;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  values(): Iterable<Value> {
    return this.#entries.values();
  }

  set(key: string, value: Value, nowMs: number): void {
    if (this.#entries.size >= this.#sweepAt) {
      for (const [idleKey, entry] of this.#entries) {
        if (this.#isIdle(entry, nowMs)) {
          this.#entries.delete(idleKey);
        }
      }
      this.#sweepAt = Math.max(SWEEP_FROM, this.#entries.size * 2);
    }
    this.#entries.set(key, value);
  }
}
