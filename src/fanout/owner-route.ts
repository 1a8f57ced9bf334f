import { NO_TENANT } from "../events/no-tenant.ts";
import type { TenantCaller } from "../http/caller.ts";
import {
  type Call,
  partnerRoute,
  type Reply,
  type Route,
  tenantRoute,
  type TenantCall,
} from "../http/route.ts";

/** Whose endpoints a call reaches: a tenant's with this id, or the partner's with the id of none. */
export type EndpointOwner = Pick<TenantCaller, "tenantId" | "phoneNumberIds">;

export type OwnerCall = Omit<Call, "caller"> & { caller: EndpointOwner };

type OwnerHead = Pick<Route, "method" | "path" | "operationId" | "writes"> & {
  right: "read" | "write";
};

/** Makes the same route for one kind of owner: its path, its operation's name, who may call it. */
export type OwnerRoute = (
  head: OwnerHead,
  handler: (call: OwnerCall) => Promise<Reply> | Reply,
) => Route;

/** A tenant's own: under `/tenant/v1`. */
const routeOfTenant: OwnerRoute = ({ right, path, ...head }, handler) =>
  tenantRoute(
    { ...head, path: `/tenant/v1${path}`, scope: `webhooks:${right}` },
    (call: TenantCall) => handler(call),
  );

/** The partner's own: under `/partner/v1`. */
const routeOfPartner: OwnerRoute = ({ right, path, operationId, ...head }, handler) =>
  partnerRoute(
    {
      ...head,
      path: `/partner/v1${path}`,
      operationId: `${operationId}OfPartner`,
      scope: `partner:${right}`,
    },
    (call) => handler({ ...call, caller: { tenantId: NO_TENANT, phoneNumberIds: null } }),
  );

/** The routes that both kinds of owner have. */
export function forEachOwner(routesOf: (route: OwnerRoute) => Route[]): Route[] {
  return [routeOfTenant, routeOfPartner].flatMap(routesOf);
}
