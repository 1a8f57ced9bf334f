import { newId } from "../ids.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { OpenedSecrets } from "./endpoint-secrets.ts";
import type { WebhookEndpointRow } from "./endpoints.ts";
import { ownBody } from "./own-events.ts";
import { postSigned } from "./post.ts";
import { renderBody } from "./render-body.ts";

/** A `webhook.ping`, ready to be posted: the same id and bytes however often it is. */
export type Ping = { id: string; contentType: string; body: Buffer };

/** An event that nothing has happened for, in the endpoint's format; `padding` makes it longer. */
export function renderPing(endpoint: WebhookEndpointRow, options: { padding?: string } = {}): Ping {
  const id = newId("evt");
  const type = "webhook.ping";
  const sentAt = new Date();
  const value = { endpoint_id: endpoint.id, sent_at: sentAt.toISOString(), ...options };
  const rendered = renderBody(endpoint.format, {
    id,
    type,
    tenant_id: endpoint.tenant_id,
    phone_number_id: null,
    waba_id: null,
    received_at: sentAt,
    body: ownBody(endpoint.tenant_id, type, value),
  });
  return { id, ...rendered };
}

/** Posts it as a delivery is posted; nothing is written of it, whatever comes. */
export function postPing(
  outbound: OutboundAgent,
  of: { endpoint: WebhookEndpointRow; opened: OpenedSecrets; ping: Ping; timeoutMs: number },
): Promise<OutboundResult> {
  const { endpoint, opened, ping, timeoutMs } = of;
  return postSigned(outbound, {
    url: endpoint.url,
    opened,
    deliveryId: ping.id,
    attemptNumber: 1,
    at: new Date(),
    contentType: ping.contentType,
    body: ping.body,
    timeoutMs,
  });
}
