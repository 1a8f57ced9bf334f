import type { Messaging } from "../dialog360/messaging.ts";
import type { Origins } from "../dialog360/origins.ts";
import type { PartnerApi } from "../dialog360/partner.ts";
import type { Route } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import type { RegisterIssuer } from "../tenancy/register-issuer.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { auditRoutes } from "./audit/audit-routes.ts";
import { clientRoutes } from "./client-routes.ts";
import { createConnectNumber } from "./connect-number.ts";
import { issuerRoutes } from "./issuer-routes.ts";
import { destinationRuleRoutes } from "./destination-rule-routes.ts";
import { moveNumberRoutes } from "./move-number-routes.ts";
import { numberRoutes } from "./number-routes.ts";
import { registrationRoutes } from "./registrations/registration-routes.ts";
import { tenantRoutes } from "./tenant-routes.ts";

/** The partner's API, joined: tenants, clients, issuers, numbers. */
export function openPartner(options: {
  db: Database;
  sealer: Sealer;
  messaging: Messaging;
  /** `undefined` where no account at 360dialog is set. */
  partnerApi: PartnerApi | undefined;
  origins: Origins;
  /** Our PUBLIC_URL, and why 360dialog could not call it, if it could not. */
  url: string;
  unusableUrl: string | undefined;
  registerIssuer: RegisterIssuer;
}): Route[] {
  const { db, sealer, registerIssuer } = options;
  return [
    ...tenantRoutes({ db }),
    ...clientRoutes({ db }),
    ...issuerRoutes({ db, registerIssuer }),
    ...destinationRuleRoutes({ db }),
    ...moveNumberRoutes({ db, sealer }),
    ...numberRoutes({ db, sealer, connect: createConnectNumber(options) }),
    ...registrationRoutes({ db }),
    ...auditRoutes({ db }),
  ];
}
