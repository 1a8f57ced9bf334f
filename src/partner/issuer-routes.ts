import { NotFound } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { partnerRoute, type Reply, type Route } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import {
  deleteIssuerAsPartner,
  findIssuerAsPartner,
  type IssuerRow,
  listIssuersAsPartner,
} from "../tenancy/issuers.ts";
import type { RegisterIssuer } from "../tenancy/register-issuer.ts";
import { issuerEtag, presentIssuer } from "./present.ts";

/** Identity providers whose tokens are taken. A registration is never changed, only made and deleted. */
export function issuerRoutes(options: { db: Database; registerIssuer: RegisterIssuer }): Route[] {
  const { db, registerIssuer } = options;
  const path = "/partner/v1/issuers";
  const onePath = `${path}/{issuer_id}`;
  const read = { scope: "partner:read" };
  const write = { scope: "partner:write" };
  return [
    partnerRoute(
      { method: "POST", path, operationId: "createIssuer", ...write },
      async ({ body }) => {
        const issuer = await registerIssuer(body as Schemas["IssuerCreate"]);
        return answer(201, issuer);
      },
    ),
    partnerRoute(
      { method: "GET", path, operationId: "listIssuers", ...read },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const rows = await listIssuersAsPartner(db, page);
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentIssuer) };
      },
    ),
    partnerRoute(
      { method: "GET", path: onePath, operationId: "getIssuer", ...read },
      async ({ params }) => {
        const issuer = await findIssuerAsPartner(db, params["issuer_id"] ?? "");
        if (issuer === undefined) {
          throw new NotFound();
        }
        return answer(200, issuer);
      },
    ),
    partnerRoute(
      { method: "DELETE", path: onePath, operationId: "deleteIssuer", ...write },
      async ({ params, checkVersion }) => {
        const issuerId = params["issuer_id"] ?? "";
        // A registration never changes, so no version can come between.
        const issuer = await findIssuerAsPartner(db, issuerId);
        if (issuer !== undefined) {
          checkVersion(issuerEtag(issuer));
        }
        if (!(await deleteIssuerAsPartner(db, issuerId))) {
          throw new NotFound();
        }
        return { status: 204 };
      },
    ),
  ];
}

function answer(status: number, issuer: IssuerRow): Reply {
  return { status, headers: { etag: issuerEtag(issuer) }, body: presentIssuer(issuer) };
}
