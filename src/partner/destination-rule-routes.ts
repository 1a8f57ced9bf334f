import { InvalidRequest, NotFound } from "../errors.ts";
import { bodyTime } from "../http/body.ts";
import type { Schemas } from "../http/contract-types.ts";
import { CURSOR_ID, parsePage, presentPage } from "../http/paging.ts";
import { partnerRoute, type Route } from "../http/route.ts";
import {
  deleteDestinationRule,
  type DestinationRuleRow,
  insertDestinationRule,
  listDestinationRules,
} from "../records/destination-rules.ts";
import type { Database } from "../store/database.ts";

/** Where WhatsApp may not be sent to, and from when to when: dated data, for all tenants. */
export function destinationRuleRoutes({ db }: { db: Database }): Route[] {
  const path = "/partner/v1/destination-rules";
  const write = { scope: "partner:write" };
  return [
    partnerRoute(
      { method: "GET", path, operationId: "listDestinationRules", scope: "partner:read" },
      async ({ query }) => {
        const page = parsePage(query, [CURSOR_ID]);
        const rows = await listDestinationRules(db, page);
        return { status: 200, body: presentPage(rows, page, (row) => [row.id], presentRule) };
      },
    ),
    partnerRoute(
      { method: "POST", path, operationId: "createDestinationRule", ...write },
      async ({ body }) => {
        const { country, from, until, effect, note } = body as Schemas["DestinationRuleCreate"];
        const from_at = bodyTime(from, "/from");
        const until_at = until === null || until === undefined ? null : bodyTime(until, "/until");
        if (until_at !== null && until_at <= from_at) {
          const detail = "/until must be after /from.";
          throw new InvalidRequest([{ code: "not_after_from", pointer: "/until", detail }]);
        }
        const rule = { country, effect, from_at, until_at, note: note ?? null };
        return { status: 201, body: presentRule(await insertDestinationRule(db, rule)) };
      },
    ),
    partnerRoute(
      {
        method: "DELETE",
        path: `${path}/{rule_id}`,
        operationId: "deleteDestinationRule",
        ...write,
      },
      async ({ params }) => {
        if (!(await deleteDestinationRule(db, params["rule_id"] ?? ""))) {
          throw new NotFound();
        }
        return { status: 204 };
      },
    ),
  ];
}

function presentRule(row: DestinationRuleRow): Schemas["DestinationRule"] {
  return {
    id: row.id,
    country: row.country,
    from: row.from_at.toISOString(),
    until: row.until_at?.toISOString() ?? null,
    effect: row.effect,
    note: row.note,
    created_at: row.created_at.toISOString(),
  };
}
