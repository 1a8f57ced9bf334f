import { NotFound } from "../errors.ts";
import { presentEvent } from "../events/present-event.ts";
import { readEventPage } from "../events/page-events.ts";
import { type EventFilter, findEvent } from "../events/read-events.ts";
import type { TenantCaller } from "../http/caller.ts";
import { CURSOR_COUNTER, parsePage, toCursor } from "../http/paging.ts";
import { queryText, queryTime } from "../http/query.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";

export const EVENT_CURSOR = [CURSOR_COUNTER, CURSOR_COUNTER];

/** A tenant's events, in the order in which every reader sees them. */
export function eventRoutes({ db }: { db: Database }): Route[] {
  const path = "/tenant/v1/events";
  const scope = "events:read";
  return [
    tenantRoute(
      { method: "GET", path, operationId: "listEvents", scope },
      async ({ caller, query }) => {
        const page = parsePage(query, EVENT_CURSOR);
        const { rows, next } = await readEventPage(db, caller.tenantId, {
          ...page,
          ...filterOf(query, caller),
        });
        const body = { data: rows.map(presentEvent), next_cursor: next ? toCursor(next) : null };
        return { status: 200, body };
      },
    ),
    tenantRoute(
      { method: "GET", path: `${path}/{event_id}`, operationId: "getEvent", scope },
      async ({ caller, params }) => {
        const row = await findEvent(db, caller.tenantId, params["event_id"] ?? "");
        const among = caller.phoneNumberIds;
        if (row === undefined || among?.includes(row.phone_number_id ?? "") === false) {
          throw new NotFound();
        }
        return { status: 200, body: presentEvent(row) };
      },
    ),
  ];
}

/** Which events a list or a stream shows. */
export function filterOf(query: Record<string, unknown>, caller: TenantCaller): EventFilter {
  return {
    type: queryText(query, "type"),
    phoneNumberId: queryText(query, "phone_number_id"),
    from: queryTime(query, "from"),
    to: queryTime(query, "to"),
    among: caller.phoneNumberIds,
  };
}
