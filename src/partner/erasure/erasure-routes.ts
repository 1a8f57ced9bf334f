import { InvalidRequest } from "../../errors.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { type Route, tenantRoute } from "../../http/route.ts";
import { parseUser } from "../../records/users.ts";
import type { Erasures } from "./erasures.ts";

/** A tenant erases one of its users. */
export function erasureRoutes({ erasures }: { erasures: Erasures }): Route[] {
  return [
    tenantRoute(
      {
        method: "POST",
        path: "/tenant/v1/contacts/erase",
        operationId: "eraseContact",
        scope: "contacts:write",
      },
      async ({ caller, body }) => {
        const user = parseUser((body as Schemas["ContactErase"]).user);
        if (user === undefined) {
          const detail = "/user is neither a phone number nor a business-scoped id.";
          throw new InvalidRequest([{ code: "user_invalid", pointer: "/user", detail }]);
        }
        const among = caller.phoneNumberIds;
        const erased = await erasures.erase(caller.tenantId, { user, among });
        const answer: Schemas["ContactErasure"] =
          erased === undefined ? { state: "running", erased: null } : { state: "finished", erased };
        return { status: erased === undefined ? 202 : 200, body: answer };
      },
    ),
  ];
}
