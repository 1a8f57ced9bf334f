import { NotFound } from "../errors.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { parseUser } from "./users.ts";
import { closesAt, findWindow, windowState } from "./windows.ts";

/** Whether a number may write to a user freely. */
export function windowRoutes({ db }: { db: Database }): Route[] {
  return [
    tenantRoute(
      {
        method: "GET",
        path: "/tenant/v1/numbers/{phone_number_id}/windows/{user}",
        operationId: "getWindow",
        scope: "numbers:read",
      },
      async ({ caller, params }) => {
        const phoneNumberId = params["phone_number_id"] ?? "";
        const user = parseUser(params["user"]);
        if (user === undefined || caller.phoneNumberIds?.includes(phoneNumberId) === false) {
          throw new NotFound();
        }
        const found = await findWindow(db, caller.tenantId, { phoneNumberId, user });
        if (found === undefined) {
          throw new NotFound();
        }
        const { lastInboundAt } = found;
        return {
          status: 200,
          body: {
            phone_number_id: phoneNumberId,
            user,
            state: windowState({ ...found, now: new Date() }),
            last_inbound_at: lastInboundAt?.toISOString() ?? null,
            closes_at: lastInboundAt === null ? null : closesAt(lastInboundAt).toISOString(),
          },
        };
      },
    ),
  ];
}
