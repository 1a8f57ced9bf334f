/** For whom a claim is worth a try: now, or from when on. Times in milliseconds. */
export type Wanted = {
  add(tenantIds: Iterable<string>): void;
  addLater(tenantId: string, afterMs: number): void;
  /** Whom to claim for now. Each is taken once, and not again before the pace is over. */
  take(): string[];
  /** Whether `take` might give somebody at once. */
  isAnybody(): boolean;
  /** After which time somebody comes of those that were added for later or held back. */
  nextMs(): number;
};

/**
 * Nobody is taken twice within `paceMs`: of a tenant that much comes for, each claim then finds
 * several due instead of one, and a tenant that little comes for waits for no pace but its own.
 */
export function createWanted(options: { paceMs: number; now?: () => number }): Wanted {
  const { paceMs, now = () => performance.now() } = options;
  const soon = new Set<string>();
  const later = new Map<string, number>();
  /** When each was taken, of late; the oldest first. */
  const takenAtMs = new Map<string, number>();

  function addAt(tenantId: string, atMs: number): void {
    later.set(tenantId, Math.min(atMs, later.get(tenantId) ?? atMs));
  }

  function forgetWhoWasTaken(beforeMs: number): void {
    for (const [tenantId, atMs] of takenAtMs) {
      if (atMs > beforeMs) {
        return;
      }
      takenAtMs.delete(tenantId);
    }
  }

  return {
    add(tenantIds) {
      for (const tenantId of tenantIds) {
        soon.add(tenantId);
      }
    },
    addLater: (tenantId, afterMs) => addAt(tenantId, now() + afterMs),
    take() {
      const nowMs = now();
      forgetWhoWasTaken(nowMs - paceMs);
      for (const [tenantId, atMs] of later) {
        if (atMs <= nowMs) {
          later.delete(tenantId);
          soon.add(tenantId);
        }
      }
      const taken: string[] = [];
      for (const tenantId of soon) {
        const lastMs = takenAtMs.get(tenantId);
        if (lastMs === undefined) {
          taken.push(tenantId);
          takenAtMs.set(tenantId, nowMs);
        } else {
          addAt(tenantId, lastMs + paceMs);
        }
      }
      soon.clear();
      return taken;
    },
    isAnybody: () => soon.size > 0,
    nextMs: () => Math.min(...later.values()) - now(),
  };
}
