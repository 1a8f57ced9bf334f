import { newWamid } from "../ids.ts";
import type { JsonObject } from "../json.ts";

/** A message that a WhatsApp user writes to a number. */
export type InboundMessage = {
  phoneNumberId: string;
  /** The user's wa_id. */
  from: string;
  /** A text message; for any other kind use `message`. */
  text?: string;
  /** Type and block, as in `{ type: "image", image: { id: "1" } }`; may override any other field. */
  message?: JsonObject;
  profileName?: string;
  /** The business-scoped id of the user. */
  userId?: string;
  /** The same id twice makes a duplicate. */
  messageId?: string;
};

/** An inbound message needs something in it. */
export class InboundMessageEmpty extends Error {
  constructor() {
    super("an inbound message needs either text or message");
  }
}

function content(inbound: InboundMessage): JsonObject {
  if (inbound.message !== undefined && inbound.text === undefined) {
    return inbound.message;
  }
  if (inbound.text !== undefined && inbound.message === undefined) {
    return { type: "text", text: { body: inbound.text } };
  }
  throw new InboundMessageEmpty();
}

/** The fields of a `messages` change for one inbound message. */
export function inboundFields(
  inbound: InboundMessage,
  now: Date,
): { messageId: string; fields: JsonObject } {
  const messageId = inbound.messageId ?? newWamid(inbound.from, "inbound");
  const contact = {
    profile: { name: inbound.profileName ?? `User ${inbound.from}` },
    wa_id: inbound.from,
    ...(inbound.userId === undefined ? {} : { user_id: inbound.userId }),
  };
  const message = {
    from: inbound.from,
    ...(inbound.userId === undefined ? {} : { from_user_id: inbound.userId }),
    id: messageId,
    timestamp: String(Math.floor(now.getTime() / 1000)),
    ...content(inbound),
  };
  return { messageId, fields: { contacts: [contact], messages: [message] } };
}
