import { createHmac, randomInt } from "node:crypto";
import { newDialog360Id } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import type { Webhook } from "../numbers/phone-number.ts";
import type { Notification } from "../webhooks/notification.ts";
import type { WebhookSender } from "../webhooks/webhook-sender.ts";

/** The header with the hex HMAC-SHA256 of the raw body, by the platform secret. */
export const SIGNATURE_HEADER = "x-360dialog-signature";

/** In which order events are posted once more. */
export const REPLAY_ORDERS = ["same", "reversed", "shuffled"] as const;

export type EventReplay = { order?: (typeof REPLAY_ORDERS)[number]; times?: number };

// The sender knows receivers by name; the partner is one beside the numbers.
const RECEIVER = "partner";

/** The partner's webhook for one body, which its signature is of. */
export function signedWebhook(url: string, platformSecret: string, body: Buffer): Webhook {
  const signature = createHmac("sha256", platformSecret).update(body).digest("hex");
  return { url, headers: { [SIGNATURE_HEADER]: signature } };
}

/** What 360dialog tells the partner. */
export class PartnerEvents {
  readonly #sender: WebhookSender;

  constructor(sender: WebhookSender) {
    this.#sender = sender;
  }

  get posted(): readonly Notification[] {
    return this.#sender.notifications;
  }

  tell(event: string, data: JsonObject, id: string = newDialog360Id("EV")): Notification {
    return this.#sender.sendJson(RECEIVER, { id, event, data });
  }

  /** Posts all that was posted so far once more, each so many times, all mixed when shuffled. */
  replay({ order = "same", times = 1 }: EventReplay): Notification[] {
    const bodies = this.posted.map(({ body }) => body);
    const all = Array.from({ length: times }, () => bodies).flat();
    return inOrder(all, order).map((body) => this.#sender.send(RECEIVER, body));
  }
}

function inOrder(bodies: Buffer[], order: EventReplay["order"]): Buffer[] {
  if (order === "shuffled") {
    for (let last = bodies.length - 1; last > 0; last -= 1) {
      const other = randomInt(last + 1);
      [bodies[last], bodies[other]] = [bodies[other] as Buffer, bodies[last] as Buffer];
    }
  }
  return order === "reversed" ? bodies.toReversed() : bodies;
}
