import { listEndpointsAsPartner } from "../../fanout/endpoints-as-partner.ts";
import { readDeliveriesAsPartner } from "../../fanout/read-deliveries.ts";
import { CURSOR_COUNTER, CURSOR_ID, parsePage, presentPage } from "../../http/paging.ts";
import { queryText, queryTime } from "../../http/query.ts";
import { partnerRoute, type Route } from "../../http/route.ts";
import { keyAsPartner, readLedgerAsPartner } from "../../records/ledger/read-ledger-as-partner.ts";
import type { Database } from "../../store/database.ts";
import { readOverview } from "./overview.ts";
import { ownersToRead } from "./owners.ts";
import {
  presentDeliveryAsPartner,
  presentEndpointAsPartner,
  presentLedgerRowAsPartner,
} from "./present-view.ts";

const DELIVERY_CURSOR = [CURSOR_COUNTER, CURSOR_COUNTER, CURSOR_ID];
const HOUR_START = /^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/;
const ID_OR_NONE = /^[\w.:-]{0,100}$/;
const LEDGER_CURSOR = [HOUR_START, ID_OR_NONE, CURSOR_ID, ID_OR_NONE];

/** All tenants at once, as the partner may see them: never what a message says, nor who wrote it. */
export function viewRoutes({ db }: { db: Database }): Route[] {
  const scope = "partner:read";
  return [
    partnerRoute(
      { method: "GET", path: "/partner/v1/overview", operationId: "getOverview", scope },
      async () => ({ status: 200, body: await readOverview(db, new Date()) }),
    ),
    partnerRoute(
      {
        method: "GET",
        path: "/partner/v1/endpoints",
        operationId: "listEndpointsAsPartner",
        scope,
      },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const rows = await listEndpointsAsPartner(db, {
          ...page,
          tenantId: queryText(query, "tenant_id"),
          state: queryText(query, "state"),
        });
        const body = presentPage(rows, page, (row) => [row.id], presentEndpointAsPartner);
        return { status: 200, body };
      },
    ),
    partnerRoute(
      {
        method: "GET",
        path: "/partner/v1/deliveries",
        operationId: "listDeliveriesAsPartner",
        scope,
      },
      async ({ query }) => {
        const page = parsePage(query, DELIVERY_CURSOR);
        const endpointId = queryText(query, "endpoint_id");
        const rows = await readDeliveriesAsPartner(db, {
          ...page,
          tenantIds: await ownersToRead(db, {
            tenantId: queryText(query, "tenant_id"),
            endpointId,
          }),
          endpointId,
          state: queryText(query, "state"),
          from: queryTime(query, "from"),
          to: queryTime(query, "to"),
        });
        const body = presentPage(
          rows,
          page,
          (row) => [row.event_xid, row.event_seq, row.endpoint_id],
          presentDeliveryAsPartner,
        );
        return { status: 200, body };
      },
    ),
    partnerRoute(
      { method: "GET", path: "/partner/v1/ledger", operationId: "listLedgerAsPartner", scope },
      async ({ query }) => {
        const page = parsePage(query, LEDGER_CURSOR);
        const endpointId = queryText(query, "endpoint_id");
        const phoneNumberId = queryText(query, "phone_number_id");
        const tenantId = queryText(query, "tenant_id");
        const rows = await readLedgerAsPartner(db, {
          ...page,
          tenantIds: await ownersToRead(db, { tenantId, endpointId, phoneNumberId }),
          endpointId,
          phoneNumberId,
          from: queryTime(query, "from"),
          to: queryTime(query, "to"),
        });
        return {
          status: 200,
          body: presentPage(rows, page, keyAsPartner, presentLedgerRowAsPartner),
        };
      },
    ),
  ];
}
