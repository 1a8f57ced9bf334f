/** Timers that all stop together, so that closing leaves none behind. */
export class Timers {
  readonly #pending = new Map<NodeJS.Timeout, (() => void) | undefined>();
  #closed = false;

  /** Runs the action after the delay, unless closed before. */
  after(delayMs: number, action: () => void): void {
    this.#start(delayMs, action, undefined);
  }

  /** Waits; answers false when closed meanwhile. */
  async sleep(delayMs: number): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      this.#start(
        delayMs,
        () => resolve(true),
        () => resolve(false),
      );
    });
  }

  /** Stops every timer; sleepers wake up with false. */
  close(): void {
    this.#closed = true;
    for (const [timeout, cancelled] of this.#pending) {
      clearTimeout(timeout);
      cancelled?.();
    }
    this.#pending.clear();
  }

  #start(delayMs: number, action: () => void, cancelled: (() => void) | undefined): void {
    if (this.#closed) {
      cancelled?.();
      return;
    }
    const timeout = setTimeout(() => {
      this.#pending.delete(timeout);
      action();
    }, delayMs);
    this.#pending.set(timeout, cancelled);
  }
}
