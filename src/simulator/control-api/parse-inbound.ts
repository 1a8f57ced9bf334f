import { isObject, type JsonObject } from "../json.ts";
import { CALL_EVENTS, type CallEvent } from "../messages/call-event.ts";
import type { InboundMessage } from "../messages/inbound-message.ts";
import { type PreferenceChange, PREFERENCES } from "../messages/preference-change.ts";
import type { WritingUser } from "../messages/writing-user.ts";
import { allowOnly, InvalidInput, optionalText, present, requiredOneOf } from "./input.ts";

const USER_FIELDS = ["from", "user_id", "profile_name"];

function userIn(fields: JsonObject): WritingUser {
  return present({
    from: optionalText(fields, "from"),
    userId: optionalText(fields, "user_id"),
    profileName: optionalText(fields, "profile_name"),
  });
}

/** An inbound message as it is written over HTTP. */
export function parseInbound(phoneNumberId: string, fields: JsonObject): InboundMessage {
  allowOnly(fields, [...USER_FIELDS, "text", "message", "message_id", "group_id"]);
  const message = fields["message"];
  if (message !== undefined && !isObject(message)) {
    throw new InvalidInput("message must be an object with type and the block of that type");
  }
  return {
    phoneNumberId,
    ...userIn(fields),
    ...present({
      text: optionalText(fields, "text"),
      message,
      messageId: optionalText(fields, "message_id"),
      groupId: optionalText(fields, "group_id"),
    }),
  };
}

/** A call event as it is written over HTTP. */
export function parseCallEvent(phoneNumberId: string, fields: JsonObject): CallEvent {
  allowOnly(fields, [...USER_FIELDS, "event", "call_id"]);
  return {
    phoneNumberId,
    ...userIn(fields),
    event: requiredOneOf(fields, "event", CALL_EVENTS),
    ...present({ callId: optionalText(fields, "call_id") }),
  };
}

/** A change of preferences as it is written over HTTP. */
export function parsePreference(phoneNumberId: string, fields: JsonObject): PreferenceChange {
  allowOnly(fields, [...USER_FIELDS, "value"]);
  const value = requiredOneOf(fields, "value", PREFERENCES);
  return { phoneNumberId, ...userIn(fields), value };
}
