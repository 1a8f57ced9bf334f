import { InvalidRequest } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import {
  brokenEndpointRules,
  checkNamedNumbers,
  duplicateRule,
  type UrlRules,
} from "./check-endpoint.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import {
  changeEndpoints,
  deleteEndpoint,
  ENDPOINT_DEFAULTS,
  type EndpointWish,
  getEndpoint,
  insertEndpoint,
  listEndpoints,
} from "./endpoints.ts";
import { presentEndpoint } from "./present.ts";

/** A tenant's webhook endpoints. */
export function endpointRoutes(options: {
  db: Database;
  endpointSecrets: EndpointSecrets;
  rules: UrlRules;
}): Route[] {
  const { db, endpointSecrets, rules } = options;
  const path = "/tenant/v1/webhook-endpoints";
  const onePath = `${path}/{endpoint_id}`;
  const read = { scope: "webhooks:read" };
  const write = { scope: "webhooks:write" };
  return [
    tenantRoute(
      { method: "POST", path, operationId: "createWebhookEndpoint", ...write },
      async ({ caller, body }) => {
        const given = body as Schemas["WebhookEndpointCreate"];
        const wish: EndpointWish = { ...ENDPOINT_DEFAULTS, ...given, managed_by: "api" };
        const broken = brokenEndpointRules(wish, rules);
        await checkNamedNumbers(db, caller.tenantId, {
          phoneNumberIds: wish.phone_number_ids,
          among: caller.phoneNumberIds,
        });
        const created = await changeEndpoints(db, caller.tenantId, async (trx) => {
          const duplicate = { url: wish.url, phoneNumberIds: wish.phone_number_ids };
          const errors = [...broken, ...(await duplicateRule(trx, caller.tenantId, duplicate))];
          if (errors.length > 0) {
            throw new InvalidRequest(errors);
          }
          return insertEndpoint(trx, caller.tenantId, { wish, endpointSecrets });
        });
        const secret = created.signingSecret.reveal();
        return { status: 201, body: { ...presentEndpoint(created.endpoint), secret } };
      },
    ),
    tenantRoute(
      { method: "GET", path, operationId: "listWebhookEndpoints", ...read },
      async ({ caller, query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const among = caller.phoneNumberIds;
        const rows = await listEndpoints(db, caller.tenantId, { ...page, among });
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentEndpoint) };
      },
    ),
    tenantRoute(
      { method: "GET", path: onePath, operationId: "getWebhookEndpoint", ...read },
      async ({ caller, params }) => {
        const endpoint = await getEndpoint(db, caller.tenantId, {
          endpointId: params["endpoint_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        return { status: 200, body: presentEndpoint(endpoint) };
      },
    ),
    tenantRoute(
      { method: "DELETE", path: onePath, operationId: "deleteWebhookEndpoint", ...write },
      async ({ caller, params }) => {
        await deleteEndpoint(db, caller.tenantId, {
          endpointId: params["endpoint_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        return { status: 204 };
      },
    ),
  ];
}
