import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import type { Route } from "../http/route.ts";
import { Secret } from "../secret.ts";
import type { Database } from "../store/database.ts";
import { deleteEndpoint, ENDPOINT_DEFAULTS, getEndpoint, listEndpoints } from "./endpoints.ts";
import { forEachOwner, type OwnerRoute } from "./owner-route.ts";
import { endpointEtag, presentEndpoint } from "./present.ts";
import type { SaveEndpoint } from "./save-endpoint.ts";

/** The webhook endpoints of a tenant or of the partner. */
export function endpointRoutes(options: { db: Database; save: SaveEndpoint }): Route[] {
  return forEachOwner((route) => routesOf(route, options));
}

function routesOf(route: OwnerRoute, { db, save }: { db: Database; save: SaveEndpoint }): Route[] {
  const path = "/webhook-endpoints";
  const onePath = `${path}/{endpoint_id}`;
  const read = { right: "read" } as const;
  const write = { right: "write" } as const;
  return [
    route(
      { method: "POST", path, operationId: "createWebhookEndpoint", ...write },
      async ({ caller, body }) => {
        const { verify_token, ...fields } = body as Schemas["WebhookEndpointCreate"];
        const { endpoint, signingSecret } = await save.create(caller, {
          ...ENDPOINT_DEFAULTS,
          ...fields,
          verify_token: sealable(verify_token) ?? null,
          managed_by: "api",
        });
        return {
          status: 201,
          headers: { etag: endpointEtag(endpoint) },
          body: { ...presentEndpoint(endpoint), secret: signingSecret.reveal() },
        };
      },
    ),
    route(
      { method: "GET", path, operationId: "listWebhookEndpoints", ...read },
      async ({ caller, query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const among = caller.phoneNumberIds;
        const rows = await listEndpoints(db, caller.tenantId, { ...page, among });
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentEndpoint) };
      },
    ),
    route(
      { method: "GET", path: onePath, operationId: "getWebhookEndpoint", ...read },
      async ({ caller, params }) => {
        const endpoint = await getEndpoint(db, caller.tenantId, {
          endpointId: params["endpoint_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        return {
          status: 200,
          headers: { etag: endpointEtag(endpoint) },
          body: presentEndpoint(endpoint),
        };
      },
    ),
    route(
      { method: "PATCH", path: onePath, operationId: "updateWebhookEndpoint", ...write },
      async ({ caller, params, body, checkVersion }) => {
        const { verify_token, ...fields } = body as Schemas["WebhookEndpointUpdate"];
        const token = sealable(verify_token);
        const endpoint = await save.change(caller, {
          endpointId: params["endpoint_id"] ?? "",
          changes: { ...fields, ...(token !== undefined && { verify_token: token }) },
          checkVersion,
        });
        return {
          status: 200,
          headers: { etag: endpointEtag(endpoint) },
          body: presentEndpoint(endpoint),
        };
      },
    ),
    route(
      { method: "DELETE", path: onePath, operationId: "deleteWebhookEndpoint", ...write },
      async ({ caller, params, checkVersion }) => {
        await deleteEndpoint(db, caller.tenantId, {
          endpointId: params["endpoint_id"] ?? "",
          among: caller.phoneNumberIds,
          check: (row) => checkVersion(endpointEtag(row)),
        });
        return { status: 204 };
      },
    ),
  ];
}

function sealable(token: string | null | undefined): Secret | null | undefined {
  return typeof token === "string" ? new Secret(token) : token;
}
