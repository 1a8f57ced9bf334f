import type { PartnerApi } from "../dialog360/partner.ts";
import { ApiError, InvalidRequest } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { partnerRoute, type Route } from "../http/route.ts";
import type { Secret } from "../secret.ts";
import type { Database } from "../store/database.ts";
import {
  createPartnerHook,
  deletePartnerHook,
  retireOtherPartnerHooks,
} from "./hub-events/partner-hooks.ts";
import { demandPartnerApi, valueOfHubCall } from "./refused-by-hub.ts";

/** The partner's own webhook at 360dialog. */
export function hubRoutes(options: {
  db: Database;
  partnerApi: PartnerApi | undefined;
  platformSecret: Secret | undefined;
  url: string;
  unusableUrl: string | undefined;
}): Route[] {
  const { db, platformSecret, url, unusableUrl } = options;
  return [
    partnerRoute(
      {
        method: "POST",
        path: "/partner/v1/hub/webhook",
        operationId: "registerPartnerHook",
        scope: "partner:write",
      },
      async () => {
        const partnerApi = demandPartnerApi(options.partnerApi);
        if (platformSecret === undefined) {
          const detail = "Set D360_PLATFORM_SECRET: without it no partner event can be checked.";
          throw new InvalidRequest([{ code: "platform_secret_missing", pointer: "", detail }]);
        }
        if (unusableUrl !== undefined) {
          throw new ApiError("public_url_invalid", `PUBLIC_URL is ${url}: ${unusableUrl}`);
        }
        const before = valueOfHubCall(await partnerApi.findWebhook());
        const token = await createPartnerHook(db);
        const call = await partnerApi.setWebhook(`${url}/hooks/360dialog/${token.reveal()}`);
        // Without an answer 360dialog may have it: then the new address must work, and the old one too.
        if (call.kind === "refused" || call.kind === "key_rejected") {
          await deletePartnerHook(db, token);
        }
        valueOfHubCall(call);
        await retireOtherPartnerHooks(db, token);
        const body: Schemas["PartnerHook"] = {
          registered_at: new Date().toISOString(),
          replaced_origin: before === null ? null : (URL.parse(before)?.origin ?? null),
        };
        return { status: 200, body };
      },
    ),
  ];
}
