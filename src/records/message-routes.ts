import { CURSOR_COUNTER, parsePage, presentPage } from "../http/paging.ts";
import { queryText, queryTime } from "../http/query.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { presentMessage, presentMessageDetail } from "./present-message.ts";
import { getMessage, readMessages } from "./read-messages.ts";

const MESSAGE_CURSOR = [CURSOR_COUNTER, CURSOR_COUNTER];

/** What a tenant has sent, and what became of it. */
export function messageRoutes({ db }: { db: Database }): Route[] {
  const path = "/tenant/v1/messages";
  const scope = "messages:read";
  return [
    tenantRoute(
      { method: "GET", path, operationId: "listMessages", scope },
      async ({ caller, query }) => {
        const page = parsePage(query, MESSAGE_CURSOR);
        const rows = await readMessages(db, caller.tenantId, {
          ...page,
          phoneNumberId: queryText(query, "phone_number_id"),
          recipient: queryText(query, "recipient"),
          state: queryText(query, "state"),
          from: queryTime(query, "from"),
          to: queryTime(query, "to"),
          among: caller.phoneNumberIds,
        });
        const body = presentPage(rows, page, (row) => [row.xid, row.seq], presentMessage);
        return { status: 200, body };
      },
    ),
    tenantRoute(
      { method: "GET", path: `${path}/{message_id}`, operationId: "getMessage", scope },
      async ({ caller, params }) => {
        const found = await getMessage(db, caller.tenantId, {
          id: params["message_id"] ?? "",
          among: caller.phoneNumberIds,
        });
        return { status: 200, body: presentMessageDetail(found) };
      },
    ),
  ];
}
