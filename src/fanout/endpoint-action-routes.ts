import type { Reply, Route } from "../http/route.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { activateEndpoint, stopEndpoint } from "./endpoint-state.ts";
import {
  changeEndpoints,
  getEndpoint,
  lockEndpoint,
  type WebhookEndpointRow,
} from "./endpoints.ts";
import { testFitness } from "./fitness.ts";
import { forEachOwner, type OwnerCall, type OwnerRoute } from "./owner-route.ts";
import { postPing, renderPing } from "./ping.ts";
import { endpointEtag, presentEndpoint, presentTest } from "./present.ts";
import { rotateSecret } from "./rotate-secret.ts";

/** What its owner can do with an endpoint beside changing it. */
export function endpointActionRoutes(options: ActionOptions): Route[] {
  return forEachOwner((route) => routesOf(route, options));
}

type ActionOptions = { db: Database; outbound: OutboundAgent; endpointSecrets: EndpointSecrets };

function routesOf(route: OwnerRoute, { db, outbound, endpointSecrets }: ActionOptions): Route[] {
  const path = "/webhook-endpoints/{endpoint_id}";
  const write = { method: "POST", right: "write" } as const;

  /** Changes the endpoint's row while nobody else can. */
  function withRow<T>(
    call: OwnerCall,
    change: (trx: DatabaseTransaction, row: WebhookEndpointRow) => Promise<T>,
  ): Promise<T> {
    const { tenantId } = call.caller;
    return changeEndpoints(db, tenantId, async (trx) => {
      const row = await lockEndpoint(trx, tenantId, named(call));
      call.checkVersion(endpointEtag(row));
      return change(trx, row);
    });
  }

  async function changeState(
    call: OwnerCall,
    change: (trx: DatabaseTransaction, row: WebhookEndpointRow) => Promise<void>,
  ): Promise<Reply> {
    const { tenantId } = call.caller;
    const row = await withRow(call, async (trx, before) => {
      await change(trx, before);
      return getEndpoint(trx, tenantId, named(call));
    });
    return { status: 200, headers: { etag: endpointEtag(row) }, body: presentEndpoint(row) };
  }

  return [
    route(
      { ...write, path: `${path}/test`, operationId: "testWebhookEndpoint", writes: false },
      async (call) => {
        const endpoint = await getEndpoint(db, call.caller.tenantId, named(call));
        const ping = renderPing(endpoint);
        const opened = endpointSecrets.openRow(endpoint, new Date());
        const timeoutMs = endpoint.timeout_seconds * 1000;
        const result = await postPing(outbound, { endpoint, opened, ping, timeoutMs });
        return { status: 200, body: presentTest(ping.id, result) };
      },
    ),
    route(
      { ...write, path: `${path}/fitness`, operationId: "testWebhookFitness", writes: false },
      async (call) => {
        const endpoint = await getEndpoint(db, call.caller.tenantId, named(call));
        const opened = endpointSecrets.openRow(endpoint, new Date());
        return { status: 200, body: await testFitness({ db, outbound, endpoint, opened }) };
      },
    ),
    route(
      { ...write, path: `${path}/secret/rotate`, operationId: "rotateWebhookSecret" },
      async (call) => {
        const { endpoint, signingSecret } = await withRow(call, (trx, row) =>
          rotateSecret(trx, row, endpointSecrets),
        );
        return {
          status: 200,
          headers: { etag: endpointEtag(endpoint), "cache-control": "no-store" },
          body: { ...presentEndpoint(endpoint), secret: signingSecret.reveal() },
        };
      },
    ),
    route({ ...write, path: `${path}/pause`, operationId: "pauseWebhookEndpoint" }, (call) =>
      changeState(call, async (trx, { id, tenant_id, state }) => {
        // One that is disabled is stopped already, and should go on to say why.
        if (state !== "disabled") {
          await stopEndpoint(trx, tenant_id, { endpointId: id, state: "paused" });
        }
      }),
    ),
    route({ ...write, path: `${path}/resume`, operationId: "resumeWebhookEndpoint" }, (call) =>
      changeState(call, (trx, row) => activateEndpoint(trx, row.tenant_id, row.id)),
    ),
  ];
}

function named({ caller, params }: OwnerCall) {
  return { endpointId: params["endpoint_id"] ?? "", among: caller.phoneNumberIds };
}
