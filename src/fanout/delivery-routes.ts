import { CURSOR_COUNTER, CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
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
          endpointId: query["endpoint_id"] as string | undefined,
          eventId: query["event_id"] as string | undefined,
          state: query["state"] as string | undefined,
          from: asDate(query["from"]),
          to: asDate(query["to"]),
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

function asDate(text: unknown): Date | undefined {
  return typeof text === "string" ? new Date(text) : undefined;
}
