/**
 * A map that forgets what was not asked for during a whole lifetime. It forgets sooner rather than
 * hold more than twice `entriesMax`. There is nothing to sweep: the older half goes as a whole.
 */
export class TwoGenerations<Value> {
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #rotateMs = Number.NEGATIVE_INFINITY;
  readonly #lifetimeMs: number;
  readonly #entriesMax: number;

  constructor(options: { lifetimeMs: number; entriesMax: number }) {
    this.#lifetimeMs = options.lifetimeMs;
    this.#entriesMax = options.entriesMax;
  }

  get(key: string, nowMs: number): Value | undefined {
    this.#rotate(nowMs);
    const young = this.#young.get(key);
    if (young !== undefined) {
      return young;
    }
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#young.set(key, old);
    }
    return old;
  }

  set(key: string, value: Value, nowMs: number): void {
    this.#rotate(nowMs);
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  #rotate(nowMs: number): void {
    if (nowMs < this.#rotateMs && this.#young.size < this.#entriesMax) {
      return;
    }
    // After a silence of two lifetimes the younger half is as stale as the older.
    const isStale = nowMs >= this.#rotateMs + this.#lifetimeMs;
    this.#old = isStale ? new Map() : this.#young;
    this.#young = new Map();
    this.#rotateMs = nowMs + this.#lifetimeMs;
  }
}
