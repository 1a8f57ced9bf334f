const RECOVERY_MS = 5000;
const HALVINGS_MAX = 4;
// What was under way when upstream first complained complains too; that is one signal.
const ONE_SIGNAL_MS = 1000;

/** What others are told of a slowdown, as time that is left of it. */
export type Slowness = { slowMs: number; blockedMs: number };

/**
 * What upstream has taught about one limit: no calls at all for as long as it asked, and half of them
 * after each signal, down to a sixteenth, doubling again every five seconds. All of it is two points
 * in time, so what two processes have learnt is joined by taking the later ones.
 */
export class Slowdown {
  #slowUntilMs = 0;
  #blockedUntilMs = 0;
  #signalledMs = Number.NEGATIVE_INFINITY;

  signal(nowMs: number, retryAfterMs: number): void {
    const halvings = this.#halvings(nowMs);
    const isNew = nowMs - this.#signalledMs >= ONE_SIGNAL_MS;
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, nowMs + retryAfterMs);
    this.#slowUntilMs =
      Math.max(nowMs, this.#blockedUntilMs) +
      RECOVERY_MS * Math.min(HALVINGS_MAX, halvings + (isNew ? 1 : 0));
    this.#signalledMs = isNew ? nowMs : this.#signalledMs;
  }

  /** Takes over what another process has learnt, as it was at `sinceMs`. */
  join({ slowMs, blockedMs }: Slowness, sinceMs: number): void {
    if (sinceMs + slowMs > this.#slowUntilMs) {
      this.#slowUntilMs = sinceMs + slowMs;
      this.#signalledMs = sinceMs;
    }
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, sinceMs + blockedMs);
  }

  left(nowMs: number): Slowness {
    return {
      slowMs: Math.max(0, this.#slowUntilMs - nowMs),
      blockedMs: Math.max(0, this.#blockedUntilMs - nowMs),
    };
  }

  blockedMs(nowMs: number): number {
    return this.#blockedUntilMs <= nowMs ? 0 : this.#blockedUntilMs - nowMs;
  }

  /** What is left of a limit. */
  slowed(limit: number, nowMs: number): number {
    return this.#slowUntilMs <= nowMs
      ? limit
      : Math.max(1, Math.floor(limit / 2 ** this.#halvings(nowMs)));
  }

  #halvings(nowMs: number): number {
    const left = Math.ceil((this.#slowUntilMs - nowMs) / RECOVERY_MS);
    return Math.max(0, Math.min(HALVINGS_MAX, left));
  }
}
