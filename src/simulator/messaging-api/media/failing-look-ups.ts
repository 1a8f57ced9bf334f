/** How many failing look-ups in what time block a number's look-ups, and for how long. */
export type LookUpBlock = { failures: number; withinMs: number; blockMs: number };

type State = { failedAtMs: number[]; blockedUntilMs: number };

/** Blocks the media look-ups of a number that fails too often. */
export class FailingLookUps {
  readonly #block: LookUpBlock | "never";
  readonly #byNumber = new Map<string, State>();

  constructor(block: LookUpBlock | "never") {
    this.#block = block;
  }

  isBlocked(phoneNumberId: string, nowMs: number): boolean {
    return nowMs < (this.#byNumber.get(phoneNumberId)?.blockedUntilMs ?? 0);
  }

  noteFailure(phoneNumberId: string, nowMs: number): void {
    if (this.#block === "never") {
      return;
    }
    const { failures, withinMs, blockMs } = this.#block;
    const before = this.#byNumber.get(phoneNumberId)?.failedAtMs ?? [];
    const failedAtMs = [...before.filter((atMs) => atMs > nowMs - withinMs), nowMs];
    this.#byNumber.set(
      phoneNumberId,
      failedAtMs.length >= failures
        ? { failedAtMs: [], blockedUntilMs: nowMs + blockMs }
        : { failedAtMs, blockedUntilMs: 0 },
    );
  }
}
