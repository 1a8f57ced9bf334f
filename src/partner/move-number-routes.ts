import type { Schemas } from "../http/contract-types.ts";
import { partnerRoute, type Route } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { moveNumberAsPartner } from "./move-number.ts";
import { numberEtag } from "./present.ts";
import type { ShowNumbers } from "./show-numbers.ts";

/** A number goes from one tenant to another. */
export function moveNumberRoutes(options: {
  db: Database;
  sealer: Sealer;
  show: ShowNumbers;
}): Route[] {
  const { db, sealer, show } = options;
  return [
    partnerRoute(
      {
        method: "POST",
        path: "/partner/v1/numbers/{number_id}/move",
        operationId: "moveNumber",
        scope: "partner:write",
      },
      async ({ params, body, checkVersion }) => {
        const { tenant_id: tenantId } = body as Schemas["NumberMove"];
        const id = params["number_id"] ?? "";
        const check = (row: Parameters<typeof numberEtag>[0]): void =>
          checkVersion(numberEtag(row));
        const row = await moveNumberAsPartner(db, { id }, { tenantId, sealer, check });
        return show.answer(200, row);
      },
    ),
  ];
}
