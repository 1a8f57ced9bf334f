import { CONTENT_ROUTES } from "./content-routes.ts";
import { NOTIFICATION_ROUTES } from "./notification-routes.ts";
import { NUMBER_ROUTES } from "./number-routes.ts";
import { PARTNER_ROUTES } from "./partner-routes.ts";
import type { Route } from "./route.ts";
import { TRAFFIC_ROUTES } from "./traffic-routes.ts";

/** Every call of the control API. */
export const ROUTES: readonly Route[] = [
  ...NUMBER_ROUTES,
  ...NOTIFICATION_ROUTES,
  ...CONTENT_ROUTES,
  ...TRAFFIC_ROUTES,
  ...PARTNER_ROUTES,
];
