import { type EventCursor, type EventRow, readEvents } from "../../events/read-events.ts";
import type { Database } from "../../store/database.ts";

export const PAGE_MAX = 20;
const PAGES_KEPT = 50;

export type ReadPage = (tenantId: string, after: EventCursor) => Promise<EventRow[]>;

/**
 * A tenant's next events after a place, read once for all streams that are at that place. Pages in which
 * there is something are kept for those who come a little later; there are few, and events do not change.
 */
export function createSharedPages(db: Database): ReadPage {
  const pages = new Map<string, Promise<EventRow[]>>();

  function read(key: string, tenantId: string, after: EventCursor): Promise<EventRow[]> {
    const reading = readEvents(db, tenantId, { limit: PAGE_MAX - 1, after, among: null });
    pages.set(key, reading);
    const forget = (): void => {
      if (pages.get(key) === reading) {
        pages.delete(key);
      }
    };
    reading.then((rows) => rows.length === 0 && forget()).catch(forget);
    for (const oldest of pages.keys()) {
      if (pages.size <= PAGES_KEPT) {
        break;
      }
      pages.delete(oldest);
    }
    return reading;
  }

  return (tenantId, after) => {
    const key = `${tenantId} ${after.join(" ")}`;
    return pages.get(key) ?? read(key, tenantId, after);
  };
}
