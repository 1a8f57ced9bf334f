import { newWamid } from "../../ids.ts";
import type { JsonObject } from "../../json.ts";
import {
  type OutgoingMessage,
  type Recipient,
  recipientId,
} from "../../messages/outgoing-message.ts";
import type { PhoneNumber } from "../../numbers/phone-number.ts";
import { type MetaError, MetaRefusal } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { Operation } from "../operation.ts";
import { bodyParameters } from "../parameters.ts";
import type { AcceptMessage } from "./accept-message.ts";
import { parseMessage } from "./parse-message.ts";

/** Why a message that is well written is not taken all the same; nothing if it is. */
export type CheckSend = (
  phoneNumber: PhoneNumber,
  message: OutgoingMessage,
  body: JsonObject,
) => MetaError | undefined;

function contact(recipient: Recipient) {
  switch (recipient.kind) {
    case "phone":
      return { input: recipient.input, wa_id: recipient.waId };
    case "user":
      return { input: recipient.userId, user_id: recipient.userId };
    case "group":
      return { input: recipient.groupId, wa_id: recipient.groupId };
    default:
      return recipient satisfies never;
  }
}

/** Lets a message go out, or throws why it does not; gives Meta's answer. */
export function send(input: {
  phoneNumber: PhoneNumber;
  message: OutgoingMessage;
  body: JsonObject;
  checks: readonly CheckSend[];
  acceptMessage: AcceptMessage;
}): JsonObject {
  const { phoneNumber, message, body, checks, acceptMessage } = input;
  for (const check of checks) {
    const error = check(phoneNumber, message, body);
    if (error !== undefined) {
      throw new MetaRefusal(error);
    }
  }
  const wamid = newWamid(recipientId(message.recipient), "outbound");
  acceptMessage(phoneNumber, wamid, message);
  const status = message.type === "template" ? { message_status: "accepted" } : {};
  return {
    messaging_product: "whatsapp",
    contacts: [contact(message.recipient)],
    messages: [{ id: wamid, ...status }],
  };
}

/** `POST /messages`: a send, a read receipt or a typing indicator. */
export function postMessages(parts: {
  checks: readonly CheckSend[];
  acceptMessage: AcceptMessage;
}): Operation {
  return proxied((call) => {
    const { phoneNumber } = call;
    const body = bodyParameters(call);
    const parsed = parseMessage(body);
    switch (parsed.kind) {
      case "refused":
        throw new MetaRefusal(parsed.error);
      case "read":
        return { success: true };
      case "send":
        return send({ phoneNumber, message: parsed.message, body, ...parts });
      default:
        return parsed satisfies never;
    }
  });
}
