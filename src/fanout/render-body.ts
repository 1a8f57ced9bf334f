import { fragmentOf, presentEvent } from "../events/present-event.ts";
import { asOwnerMayKnow, type KnownEvent } from "./partner-knowledge.ts";
import type { WebhookEndpointFormat } from "../store/schema/fanout.ts";

export type RenderableEvent = {
  id: string;
  type: string;
  tenant_id: string;
  phone_number_id: string | null;
  waba_id: string | null;
  received_at: Date;
  body: Buffer;
};

const API_VERSION = "1";

/** The bytes of a delivery: the same for every attempt and replay, because nothing else goes in. */
export function renderBody(
  format: WebhookEndpointFormat,
  given: RenderableEvent,
): { contentType: string; body: Buffer } {
  const event = asOwnerMayKnow(given);
  switch (format) {
    case "cloud_api":
      return { contentType: "application/json", body: event.body };
    case "event":
      return {
        contentType: "application/json",
        body: Buffer.from(
          JSON.stringify({
            ...presentEvent(event),
            api_version: API_VERSION,
            tenant_id: event.tenant_id,
          }),
        ),
      };
    case "cloudevents":
      return {
        contentType: "application/cloudevents+json",
        body: Buffer.from(JSON.stringify(cloudEvent(event))),
      };
    default:
      return format satisfies never;
  }
}

/** CloudEvents 1.0, structured JSON mode. */
function cloudEvent(event: KnownEvent<RenderableEvent>): object {
  return {
    specversion: "1.0",
    id: event.id,
    source: `/tenants/${event.tenant_id ?? "-"}/numbers/${event.phone_number_id ?? "-"}`,
    type: event.type,
    time: event.received_at.toISOString(),
    datacontenttype: "application/json",
    data: fragmentOf(event.body),
  };
}
