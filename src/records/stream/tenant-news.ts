import { sql } from "kysely";
import type { EventCursor } from "../../events/read-events.ts";
import type { ChangeFeed, Question } from "../../store/change-feed.ts";

/** One reader of a tenant's events, who waits for more. */
export type Watcher = {
  /** How far it has come. */
  position: EventCursor;
  wake: () => void;
};

export type TenantNews = {
  /** Until the function that it gives is called. */
  watch: (tenantId: string, watcher: Watcher) => () => void;
  /** Something was committed for these tenants. */
  poke: (tenantIds: Iterable<string>) => void;
};

// What was just committed may be read only when what began before it has ended: so it is looked for
// a few times. Commits that come closer together than the first are one.
const LOOK_AFTER_MS = [20, 80, 300] as const;

type Watched = { watchers: Set<Watcher>; timer: NodeJS.Timeout | undefined; looks: number };

/**
 * Wakes those who wait for a tenant's events: soon after a commit that this process hears of, and within
 * a second after any other. For all who wait, of all tenants, that is a part of the one query that
 * an idle process makes once a second.
 */
export function createTenantNews(feed: Pick<ChangeFeed, "alsoAsk">): TenantNews {
  const tenants = new Map<string, Watched>();

  function wakeAll({ watchers }: Watched): void {
    for (const { wake } of watchers) {
      wake();
    }
  }

  function lookSoon(watched: Watched): void {
    const afterMs = LOOK_AFTER_MS[watched.looks];
    if (watched.timer !== undefined || afterMs === undefined) {
      return;
    }
    watched.looks += 1;
    watched.timer = setTimeout(() => {
      watched.timer = undefined;
      wakeAll(watched);
      lookSoon(watched);
    }, afterMs);
  }

  const question: Question = {
    // Made anew each time, from who waits then.
    get ask() {
      const each = [...tenants].map(([tenantId, { watchers }]) => ({
        tenantId,
        position: [...watchers].map(({ position }) => position).reduce(earlier),
      }));
      return sql`
        select coalesce(json_agg(w.tenant_id), '[]')
        from unnest(
          ${each.map(({ tenantId }) => tenantId)}::text[],
          ${each.map(({ position }) => position[0])}::xid8[],
          ${each.map(({ position }) => position[1])}::bigint[]
        ) as w (tenant_id, xid, seq)
        where exists (
          -- What is new since a second ago is in the last of the days.
          select 1 from event e where e.tenant_id = w.tenant_id
            and (e.xid, e.seq) > (w.xid, w.seq) and e.received_at > now() - interval '1 hour'
            and e.xid < pg_snapshot_xmin(pg_current_snapshot()))`;
    },
    hear(tenantIds) {
      for (const tenantId of tenantIds as string[]) {
        const watched = tenants.get(tenantId);
        if (watched !== undefined) {
          wakeAll(watched);
        }
      }
    },
  };
  feed.alsoAsk(question);

  return {
    watch(tenantId, watcher) {
      const watched = tenants.get(tenantId) ?? { watchers: new Set(), timer: undefined, looks: 0 };
      tenants.set(tenantId, watched);
      watched.watchers.add(watcher);
      return () => {
        watched.watchers.delete(watcher);
        if (watched.watchers.size === 0) {
          clearTimeout(watched.timer);
          tenants.delete(tenantId);
        }
      };
    },
    poke(tenantIds) {
      for (const tenantId of tenantIds) {
        const watched = tenants.get(tenantId);
        if (watched !== undefined) {
          watched.looks = 0;
          lookSoon(watched);
        }
      }
    },
  };
}

function earlier(left: EventCursor, right: EventCursor): EventCursor {
  const isBefore =
    BigInt(left[0]) < BigInt(right[0]) ||
    (left[0] === right[0] && BigInt(left[1]) < BigInt(right[1]));
  return isBefore ? left : right;
}
