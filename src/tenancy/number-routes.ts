import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { getPhoneNumber, listPhoneNumbers } from "./phone-numbers.ts";
import { presentOwnNumber } from "./present-number.ts";

/** A tenant's numbers, as the tenant sees them. */
export function numberRoutes({ db }: { db: Database }): Route[] {
  const path = "/tenant/v1/numbers";
  const scope = "numbers:read";
  return [
    tenantRoute(
      { method: "GET", path, operationId: "listTenantNumbers", scope },
      async ({ caller, query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const among = caller.phoneNumberIds;
        const rows = await listPhoneNumbers(db, caller.tenantId, { ...page, among });
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentOwnNumber) };
      },
    ),
    tenantRoute(
      { method: "GET", path: `${path}/{phone_number_id}`, operationId: "getTenantNumber", scope },
      async ({ caller, params }) => {
        const row = await getPhoneNumber(db, caller.tenantId, {
          phoneNumberId: params["phone_number_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        return { status: 200, body: presentOwnNumber(row) };
      },
    ),
  ];
}
