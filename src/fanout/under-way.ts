import type { ClaimedDelivery } from "./claim.ts";

/** The attempts that this process has under way, bounded in number and in bytes. */
export type UnderWay = {
  /** `cut` ends it early. One for each: a signal looks through all its listeners for each new one. */
  add(delivery: ClaimedDelivery, work: Promise<void>, cut: AbortController): void;
  remove(delivery: ClaimedDelivery): void;
  /** How many more there may be. */
  room(): number;
  byTenant: ReadonlyMap<string, number>;
  /** Ends all of them early. */
  cut(): void;
  drained(): Promise<void>;
};

export function createUnderWay(max: { deliveriesMax: number; bytesMax: number }): UnderWay {
  const works = new Map<ClaimedDelivery, { work: Promise<void>; cut: AbortController }>();
  const byTenant = new Map<string, number>();
  let bytes = 0;

  function count(tenantId: string, change: 1 | -1): void {
    const after = (byTenant.get(tenantId) ?? 0) + change;
    if (after === 0) {
      byTenant.delete(tenantId);
    } else {
      byTenant.set(tenantId, after);
    }
  }

  return {
    byTenant,
    add(delivery, work, cut) {
      works.set(delivery, { work, cut });
      bytes += delivery.body.length;
      count(delivery.tenant_id, 1);
    },
    remove(delivery) {
      works.delete(delivery);
      bytes -= delivery.body.length;
      count(delivery.tenant_id, -1);
    },
    room: () => (bytes < max.bytesMax ? max.deliveriesMax - works.size : 0),
    cut() {
      for (const { cut } of works.values()) {
        cut.abort();
      }
    },
    async drained() {
      await Promise.all([...works.values()].map(({ work }) => work));
    },
  };
}
