import { NotFound } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { type PartnerCall, partnerRoute, type Reply, type Route } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { checkOwnNumbers } from "../tenancy/check-own-numbers.ts";
import { createClient, listClients, revokeClient } from "../tenancy/clients.ts";
import { checkScopes, PARTNER_SCOPES, TENANT_SCOPES } from "../tenancy/scopes.ts";
import { findTenant } from "../tenancy/tenants.ts";
import { presentClient } from "./present.ts";

/** OAuth clients: a tenant's, and likewise the partner's own. */
export function clientRoutes({ db }: { db: Database }): Route[] {
  return [
    ...routesOf({
      db,
      path: "/partner/v1/tenants/{tenant_id}/clients",
      names: ["createTenantClient", "listTenantClients", "revokeTenantClient"],
      scopes: TENANT_SCOPES,
      ownerOf: async ({ params }) => {
        const tenant = await findTenant(db, params["tenant_id"] ?? "");
        if (tenant === undefined) {
          throw new NotFound();
        }
        return tenant.id;
      },
    }),
    ...routesOf({
      db,
      path: "/partner/v1/clients",
      names: ["createPartnerClient", "listPartnerClients", "revokePartnerClient"],
      scopes: PARTNER_SCOPES,
      ownerOf: async () => null,
    }),
  ];
}

function routesOf(options: {
  db: Database;
  path: string;
  names: [create: string, list: string, revoke: string];
  scopes: readonly string[];
  /** The tenant's id; `null` for the partner. */
  ownerOf: (call: PartnerCall) => Promise<string | null>;
}): Route[] {
  const { db, path, names, scopes, ownerOf } = options;
  const [create, list, revoke] = names;
  return [
    partnerRoute(
      { method: "POST", path, operationId: create, scope: "partner:write" },
      async (call): Promise<Reply> => {
        const owner = await ownerOf(call);
        // The partner's own clients have no numbers to be limited to; the contract refuses them there.
        const wish = call.body as Schemas["TenantClientCreate"];
        const phoneNumberIds = wish.phone_number_ids ?? null;
        if (owner !== null && phoneNumberIds !== null) {
          await checkOwnNumbers(db, owner, { phoneNumberIds, among: null });
        }
        const { client, secret } = await createClient(db, owner, {
          name: wish.name ?? null,
          scopes: checkScopes(wish.scopes ?? scopes, scopes),
          phone_number_ids: phoneNumberIds,
        });
        const body = { ...presentClient(client), client_secret: secret.reveal() };
        return { status: 201, headers: { "cache-control": "no-store" }, body };
      },
    ),
    partnerRoute(
      { method: "GET", path, operationId: list, scope: "partner:read" },
      async (call): Promise<Reply> => {
        const page = parsePage(call.query, [CURSOR_ID]);
        const rows = await listClients(db, await ownerOf(call), page);
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentClient) };
      },
    ),
    partnerRoute(
      {
        method: "DELETE",
        path: `${path}/{client_id}`,
        operationId: revoke,
        scope: "partner:write",
      },
      async (call): Promise<Reply> => {
        if (!(await revokeClient(db, await ownerOf(call), call.params["client_id"] ?? ""))) {
          throw new NotFound();
        }
        return { status: 204 };
      },
    ),
  ];
}
