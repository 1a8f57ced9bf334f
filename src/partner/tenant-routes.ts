import { ApiError, NotFound } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { queryText } from "../http/query.ts";
import { partnerRoute, type Reply, type Route } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import {
  createTenant,
  deleteTenant,
  findTenant,
  listTenants,
  type TenantRow,
  updateTenant,
  upsertTenant,
} from "../tenancy/tenants.ts";
import { changeTenantState } from "./suspend-tenant.ts";
import { presentTenant, tenantEtag } from "./present.ts";

const EXTERNAL_ID_CHARACTERS_MAX = 200;

/** The partner's tenants. */
export function tenantRoutes({ db }: { db: Database }): Route[] {
  const path = "/partner/v1/tenants";
  const onePath = `${path}/{tenant_id}`;
  const read = { scope: "partner:read" };
  const write = { scope: "partner:write" };

  function changeState(verb: "suspend" | "resume", state: TenantRow["state"]): Route {
    const operationId = `${verb}Tenant`;
    return partnerRoute(
      { method: "POST", path: `${onePath}/${verb}`, operationId, ...write },
      async ({ params }) => found(await changeTenantState(db, params["tenant_id"] ?? "", state)),
    );
  }

  return [
    partnerRoute(
      { method: "POST", path, operationId: "createTenant", ...write },
      async ({ body }) => {
        const tenant = await createTenant(db, body as Schemas["TenantCreate"]);
        return answer(201, tenant);
      },
    ),
    partnerRoute(
      { method: "GET", path, operationId: "listTenants", ...read },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const externalId = queryText(query, "external_id");
        const rows = await listTenants(db, { ...page, externalId });
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentTenant) };
      },
    ),
    partnerRoute(
      {
        method: "PUT",
        path: `${path}/by-external-id/{external_id}`,
        operationId: "upsertTenant",
        ...write,
      },
      async ({ params, body, checkVersion }) => {
        const externalId = params["external_id"] ?? "";
        if (externalId.length > EXTERNAL_ID_CHARACTERS_MAX) {
          throw new ApiError("invalid_parameter", "external_id has at most 200 characters.");
        }
        const { name } = body as Schemas["TenantUpsert"];
        const { tenant, created } = await upsertTenant(
          db,
          { name, external_id: externalId },
          (before) => checkVersion(before && tenantEtag(before)),
        );
        return answer(created ? 201 : 200, tenant);
      },
    ),
    partnerRoute(
      { method: "GET", path: onePath, operationId: "getTenant", ...read },
      async ({ params }) => found(await findTenant(db, params["tenant_id"] ?? "")),
    ),
    partnerRoute(
      { method: "PATCH", path: onePath, operationId: "updateTenant", ...write },
      async ({ params, body, checkVersion }) => {
        const fields = body as Schemas["TenantUpdate"];
        const check = (row: TenantRow | undefined): void => checkVersion(row && tenantEtag(row));
        return found(await updateTenant(db, params["tenant_id"] ?? "", fields, check));
      },
    ),
    partnerRoute(
      { method: "DELETE", path: onePath, operationId: "deleteTenant", ...write },
      async ({ params, checkVersion }) => {
        const check = (row: TenantRow | undefined): void => checkVersion(row && tenantEtag(row));
        if (!(await deleteTenant(db, params["tenant_id"] ?? "", check))) {
          throw new NotFound();
        }
        return { status: 204 };
      },
    ),
    changeState("suspend", "suspended"),
    changeState("resume", "active"),
  ];
}

function found(tenant: TenantRow | undefined): Reply {
  if (tenant === undefined) {
    throw new NotFound();
  }
  return answer(200, tenant);
}

function answer(status: number, tenant: TenantRow): Reply {
  return { status, headers: { etag: tenantEtag(tenant) }, body: presentTenant(tenant) };
}
