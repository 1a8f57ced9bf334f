import { InvalidRequest } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import { type Route, tenantRoute } from "../http/route.ts";
import type { Database } from "../store/database.ts";
import { getEndpoint } from "./endpoints.ts";
import { forEachOwner, type OwnerRoute } from "./owner-route.ts";
import { getDelivery } from "./read-deliveries.ts";
import { hastenDeliveries, replayDeliveries, type ReplayScope, type ReplayWish } from "./replay.ts";

type ReplayOptions = { db: Database; retentionMs: number };

/** Deliveries opened again by hand, one or many. Nothing that processes remember is changed. */
export function replayRoutes(options: ReplayOptions): Route[] {
  return [
    ...forEachOwner((route) => [replayEndpointRoute(route, options)]),
    replayDeliveryRoute(options),
  ];
}

function replayEndpointRoute(route: OwnerRoute, { db, retentionMs }: ReplayOptions): Route {
  return route(
    {
      method: "POST",
      path: "/webhook-endpoints/{endpoint_id}/replay",
      operationId: "replayWebhookEndpoint",
      right: "write",
      writes: false,
    },
    async ({ caller, params, body }) => {
      const among = caller.phoneNumberIds;
      const { id: endpointId } = await getEndpoint(db, caller.tenantId, {
        endpointId: params["endpoint_id"] ?? "",
        among,
      });
      const wish = wishOf(body as Schemas["ReplayWish"]);
      return {
        status: 202,
        body: await replay(db, caller.tenantId, { wish, endpointId, among, retentionMs }),
      };
    },
  );
}

function replayDeliveryRoute({ db, retentionMs }: ReplayOptions): Route {
  return tenantRoute(
    {
      method: "POST",
      path: "/tenant/v1/deliveries/{delivery_id}/replay",
      operationId: "replayDelivery",
      scope: "webhooks:write",
      writes: false,
    },
    async ({ caller, params }) => {
      const deliveryId = params["delivery_id"] ?? "";
      const among = caller.phoneNumberIds;
      await getDelivery(db, caller.tenantId, { deliveryId, among });
      const wish: ReplayWish = { kind: "ids", deliveryIds: [deliveryId] };
      return {
        status: 202,
        body: await replay(db, caller.tenantId, { wish, among, retentionMs }),
      };
    },
  );
}

function wishOf(body: Schemas["ReplayWish"]): ReplayWish {
  if ("delivery_ids" in body) {
    return { kind: "ids", deliveryIds: body.delivery_ids };
  }
  return "from" in body
    ? { kind: "span", from: timeOf("from", body.from), to: timeOf("to", body.to) }
    : { kind: "failed", since: timeOf("failed_since", body.failed_since) };
}

/** The contract lets leap seconds pass, which no `Date` can be. */
function timeOf(name: string, text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    const detail = `${name} is not a time such as 2026-01-31T12:00:00Z.`;
    throw new InvalidRequest([{ code: "format", pointer: `/${name}`, detail }]);
  }
  return time;
}

async function replay(
  db: Database,
  tenantId: string,
  options: ReplayScope & { wish: ReplayWish; retentionMs: number },
): Promise<Schemas["ReplayResult"]> {
  const { replayedIds, lastDueAt, stoppedAt } = await replayDeliveries(db, tenantId, options);
  const named = options.wish.kind === "ids" ? options.wish.deliveryIds : [];
  const opened = new Set(replayedIds);
  const others = named.filter((id) => !opened.has(id));
  const hastened =
    others.length > 0
      ? await hastenDeliveries(db, tenantId, { ...options, deliveryIds: others })
      : [];
  const done = new Set([...opened, ...hastened]);
  return {
    replayed: replayedIds.length,
    hastened: hastened.length,
    not_replayed: named.filter((id) => !done.has(id)),
    last_due_at: lastDueAt?.toISOString() ?? null,
    continue_from: stoppedAt?.toISOString() ?? null,
  };
}
