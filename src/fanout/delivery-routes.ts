import { CURSOR_COUNTER, CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { queryText, queryTime } from "../http/query.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { presentAttempt, presentDelivery } from "./present.ts";
import { getDelivery, readDeliveries } from "./read-deliveries.ts";

const DELIVERY_CURSOR = [CURSOR_COUNTER, CURSOR_COUNTER, CURSOR_ID];

/** What became of each event at each endpoint. */
export function deliveryRoutes({ db }: { db: Database }): Route[] {
  const path = "/tenant/v1/deliveries";
  const scope = "events:read";
  return [
    tenantRoute(
      { method: "GET", path, operationId: "listDeliveries", scope },
      async ({ caller, query }) => {
        const page = parsePage(query, DELIVERY_CURSOR);
        const rows = await readDeliveries(db, caller.tenantId, {
          ...page,
          endpointId: queryText(query, "endpoint_id"),
          eventId: queryText(query, "event_id"),
          state: queryText(query, "state"),
          from: queryTime(query, "from"),
          to: queryTime(query, "to"),
          among: caller.phoneNumberIds,
        });
        const body = presentPage(
          rows,
          page,
          (row) => [row.event_xid, row.event_seq, row.endpoint_id],
          presentDelivery,
        );
        return { status: 200, body };
      },
    ),
    tenantRoute(
      { method: "GET", path: `${path}/{delivery_id}`, operationId: "getDelivery", scope },
      async ({ caller, params }) => {
        const { delivery, attempts } = await getDelivery(db, caller.tenantId, {
          deliveryId: params["delivery_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        const body = { ...presentDelivery(delivery), attempts: attempts.map(presentAttempt) };
        return { status: 200, body };
      },
    ),
  ];
}
