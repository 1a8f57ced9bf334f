/** For whom a claim is worth a try: now, or from when on. Times in milliseconds. */
export type Wanted = {
  add(tenantIds: Iterable<string>): void;
  addLater(tenantId: string, afterMs: number): void;
  /** Whom to claim for now. Each is taken once, and not again before the pace is over. */
  take(): string[];
  /** After which time there is somebody to take. */
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
  /** When each was taken, within the pace; the oldest first. */
  const takenAtMs = new Map<string, number>();

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
    addLater(tenantId, afterMs) {
      const atMs = now() + afterMs;
      later.set(tenantId, Math.min(atMs, later.get(tenantId) ?? atMs));
    },
    take() {
      const nowMs = now();
      forgetWhoWasTaken(nowMs - paceMs);
      for (const [tenantId, atMs] of later) {
        if (atMs <= nowMs) {
          later.delete(tenantId);
          soon.add(tenantId);
        }
      }
      const taken = [...soon].filter((tenantId) => !takenAtMs.has(tenantId));
      for (const tenantId of taken) {
        soon.delete(tenantId);
        takenAtMs.set(tenantId, nowMs);
      }
      return taken;
    },
    nextMs() {
      let soonestMs = Number.POSITIVE_INFINITY;
      for (const atMs of later.values()) {
        soonestMs = Math.min(soonestMs, atMs);
      }
      for (const tenantId of soon) {
        soonestMs = Math.min(soonestMs, (takenAtMs.get(tenantId) ?? 0) + paceMs);
      }
      return Math.max(0, soonestMs - now());
    },
  };
}
