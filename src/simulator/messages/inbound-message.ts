import { newWamid } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import { contactOf, senderFields, userIdOf, type WritingUser } from "./writing-user.ts";
import { unixSeconds } from "./unix-seconds.ts";

/** A message that a WhatsApp user writes to a number. */
export type InboundMessage = {
  phoneNumberId: string;
  /** The user's wa_id; left out for a user known by an id only. */
  from?: string;
  /** A text message; for any other kind use `message`. */
  text?: string;
  /** Type and block, as in `{ type: "image", image: { id: "1" } }`; may override any other field. */
  message?: JsonObject;
  profileName?: string;
  /** The business-scoped id (BSUID) of the user. */
  userId?: string;
  /** The group in which it is written. */
  groupId?: string;
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
  const user: WritingUser = inbound;
  const messageId = inbound.messageId ?? newWamid(userIdOf(user), "inbound");
  const message = {
    ...senderFields(user),
    ...(inbound.groupId === undefined ? {} : { group_id: inbound.groupId }),
    id: messageId,
    timestamp: unixSeconds(now),
    ...content(inbound),
  };
  return { messageId, fields: { contacts: [contactOf(user)], messages: [message] } };
}
