import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import {
  changeGuards,
  getPhoneNumber,
  listPhoneNumbers,
  type PhoneNumberRow,
} from "./phone-numbers.ts";
import { ownNumberEtag, presentOwnNumber } from "./present-number.ts";
import { findTenant } from "./tenants.ts";

/** A tenant's numbers, as the tenant sees them. */
export function numberRoutes({ db }: { db: Database }): Route[] {
  const path = "/tenant/v1/numbers";
  const onePath = `${path}/{phone_number_id}`;
  const scope = "numbers:read";

  async function presentFor(
    tenantId: string,
  ): Promise<(row: PhoneNumberRow) => Schemas["TenantNumber"]> {
    const tenant = await findTenant(db, tenantId);
    return (row) => presentOwnNumber(row, tenant?.guards ?? {});
  }

  return [
    tenantRoute(
      { method: "GET", path, operationId: "listTenantNumbers", scope },
      async ({ caller, query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const among = caller.phoneNumberIds;
        const rows = await listPhoneNumbers(db, caller.tenantId, { ...page, among });
        const present = await presentFor(caller.tenantId);
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], present) };
      },
    ),
    tenantRoute(
      { method: "GET", path: onePath, operationId: "getTenantNumber", scope },
      async ({ caller, params }) => {
        const row = await getPhoneNumber(db, caller.tenantId, {
          phoneNumberId: params["phone_number_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        const present = await presentFor(caller.tenantId);
        return { status: 200, headers: { etag: ownNumberEtag(row) }, body: present(row) };
      },
    ),
    tenantRoute(
      { method: "PATCH", path: onePath, operationId: "updateTenantNumber", scope: "numbers:write" },
      async ({ caller, params, body, checkVersion }) => {
        const { guards = {} } = body as Schemas["TenantNumberUpdate"];
        const row = await changeGuards(db, caller.tenantId, {
          phoneNumberId: params["phone_number_id"] ?? "",
          among: caller.phoneNumberIds,
          guards,
          check: (before) => checkVersion(ownNumberEtag(before)),
        });
        const present = await presentFor(caller.tenantId);
        return { status: 200, headers: { etag: ownNumberEtag(row) }, body: present(row) };
      },
    ),
  ];
}
