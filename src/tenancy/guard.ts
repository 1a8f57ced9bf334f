import type { Guard } from "../http/app.ts";
import { type Authenticate, bearerToken, demandKind, demandScope } from "./authenticate.ts";

/** The one check of every row of the route table but the hooks', which check themselves. */
export function createGuard(authenticate: Authenticate): Guard {
  return async (ctx, access) => {
    switch (access.kind) {
      case "public":
      case "hook":
        return undefined;
      case "tenant":
      case "partner": {
        const caller = demandKind(await authenticate(bearerToken(ctx.req)), access.kind);
        demandScope(caller, access.scope);
        return caller;
      }
      default:
        return access satisfies never;
    }
  };
}
