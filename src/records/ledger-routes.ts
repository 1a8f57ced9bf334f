import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { queryText, queryTime } from "../http/query.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { presentLedgerRow } from "./ledger/present-ledger.ts";
import { keyOf, readLedger } from "./ledger/read-ledger.ts";

const LEDGER_CURSOR = [/^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/, CURSOR_ID, /^[\w.:-]{0,100}$/];

/** Whether anything is missing: what came, and what became of it at each endpoint. */
export function ledgerRoutes({ db }: { db: Database }): Route[] {
  return [
    tenantRoute(
      {
        method: "GET",
        path: "/tenant/v1/ledger",
        operationId: "listLedger",
        scope: "events:read",
      },
      async ({ caller, query }) => {
        const page = parsePage(query, LEDGER_CURSOR);
        const rows = await readLedger(db, caller.tenantId, {
          ...page,
          endpointId: queryText(query, "endpoint_id"),
          phoneNumberId: queryText(query, "phone_number_id"),
          from: queryTime(query, "from"),
          to: queryTime(query, "to"),
          among: caller.phoneNumberIds,
          now: new Date(),
        });
        return { status: 200, body: presentPage(rows, page, keyOf, presentLedgerRow) };
      },
    ),
  ];
}
