import type { PartnerApi } from "../../dialog360/partner.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { CURSOR_COUNTER, parsePage, presentPage } from "../../http/paging.ts";
import { queryText } from "../../http/query.ts";
import { partnerRoute, type Route } from "../../http/route.ts";
import type { Database } from "../../store/database.ts";
import { InvalidRequest } from "../../errors.ts";
import { demandPartnerApi } from "../refused-by-hub.ts";
import { applyDifferences } from "./apply.ts";
import { DEFAULT_RULES } from "./match-tenants.ts";
import {
  getHubSync,
  insertHubSync,
  listDifferences,
  presentDifference,
  presentHubSync,
} from "./read-syncs.ts";

/** What 360dialog has of the partner's channels against what is here: told first, then applied as agreed. */
export function hubSyncRoutes(options: {
  db: Database;
  partnerApi: PartnerApi | undefined;
  /** There is a comparison to work on. */
  poke: () => void;
}): Route[] {
  const { db, poke } = options;
  const path = "/partner/v1/hub/sync";
  const onePath = `${path}/{sync_id}`;
  const read = { scope: "partner:read" };
  return [
    partnerRoute(
      { method: "POST", path, operationId: "syncHub", scope: "partner:write" },
      async (call) => {
        const partnerApi = demandPartnerApi(options.partnerApi);
        const { rules, sync_id: syncId, apply } = (call.body ?? {}) as Schemas["HubSyncWish"];
        if (apply !== undefined) {
          if (syncId === undefined) {
            const detail = "Name the comparison (`sync_id`) that these differences are of.";
            throw new InvalidRequest([{ code: "required", pointer: "/sync_id", detail }]);
          }
          const applied = await applyDifferences(db, { partnerApi, syncId, ids: apply });
          return { status: 200, body: { applied: applied.map(presentDifference) } };
        }
        const row = await insertHubSync(db, rules ?? DEFAULT_RULES);
        poke();
        return { status: 201, body: await presentHubSync(db, row) };
      },
    ),
    partnerRoute(
      { method: "GET", path: onePath, operationId: "getHubSync", ...read },
      async ({ params }) => {
        const row = await getHubSync(db, params["sync_id"] ?? "");
        return { status: 200, body: await presentHubSync(db, row) };
      },
    ),
    partnerRoute(
      { method: "GET", path: `${onePath}/differences`, operationId: "listHubDifferences", ...read },
      async ({ params, query }) => {
        const { id } = await getHubSync(db, params["sync_id"] ?? "");
        const page = parsePage(query, [CURSOR_COUNTER]);
        const rows = await listDifferences(db, id, { ...page, kind: queryText(query, "kind") });
        return {
          status: 200,
          body: presentPage(rows, page, (row) => [row.seq], presentDifference),
        };
      },
    ),
  ];
}
