import { isObject, type JsonObject } from "../json.ts";
import type { InboundMessage } from "../messages/inbound-message.ts";
import { allowOnly, InvalidInput, optionalText, present } from "./input.ts";

/** An inbound message as it is written over HTTP. */
export function parseInbound(phoneNumberId: string, fields: JsonObject): InboundMessage {
  allowOnly(fields, ["from", "text", "message", "profile_name", "user_id", "message_id"]);
  const from = optionalText(fields, "from");
  const message = fields["message"];
  if (from === undefined) {
    throw new InvalidInput("from must be the wa_id of the user who writes");
  }
  if (message !== undefined && !isObject(message)) {
    throw new InvalidInput("message must be an object with type and the block of that type");
  }
  return {
    phoneNumberId,
    from,
    ...present({
      text: optionalText(fields, "text"),
      message,
      profileName: optionalText(fields, "profile_name"),
      userId: optionalText(fields, "user_id"),
      messageId: optionalText(fields, "message_id"),
    }),
  };
}
