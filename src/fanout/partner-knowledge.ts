import { NO_TENANT } from "../events/no-tenant.ts";
import { isToldToPartner } from "../events/partner-copy.ts";
import { ownBody } from "./own-events.ts";

type Event = {
  type: string;
  tenant_id: string;
  phone_number_id: string | null;
  waba_id: string | null;
  body: Buffer;
};

/** An event as its endpoint's owner may know it; `tenant_id` is `null` where it is nobody's. */
export type KnownEvent<E extends Event> = Omit<E, "tenant_id"> & { tenant_id: string | null };

/**
 * What an endpoint is told of an event. A tenant's is told all. The partner's is told whole what is
 * about numbers, endpoints, onboarding and accounts; whatever else has no owner may hold what a user
 * wrote, or who wrote it: the partner hears that it came, for which number, and how long it was.
 */
export function asOwnerMayKnow<E extends Event>(event: E): KnownEvent<E> {
  if (event.tenant_id !== NO_TENANT) {
    return event;
  }
  const { type, phone_number_id, waba_id, body } = event;
  return isToldToPartner(type) || type.startsWith("account.") || type === "webhook.ping"
    ? { ...event, tenant_id: tenantOf(body) }
    : {
        ...event,
        tenant_id: null,
        body: ownBody(waba_id ?? "", type, {
          content: "withheld",
          bytes: body.length,
          phone_number_id,
          waba_id,
        }),
      };
}

/** The tenant that the partner's copy of an event names. */
function tenantOf(body: Buffer): string | null {
  const { tenant_id } = JSON.parse(body.toString("utf8")) as { tenant_id?: unknown };
  return typeof tenant_id === "string" ? tenant_id : null;
}
