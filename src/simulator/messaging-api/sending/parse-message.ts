import { isObject, type JsonObject } from "../../json.ts";
import type { OutgoingMessage, Recipient } from "../../messages/outgoing-message.ts";
import { checkContent, MESSAGE_TYPES } from "./check-content.ts";
import {
  type MetaError,
  parameterInvalid,
  parameterNotOneOf,
  parameterRequired,
  parameterTooLong,
  valueMissing,
  valueNotValid,
} from "../answers/meta-errors.ts";

const CALLBACK_DATA_CHARACTERS_MAX = 512;

/** What a body of `POST /messages` asks for. */
export type ParsedMessage =
  | { kind: "send"; message: OutgoingMessage }
  | { kind: "read"; messageId: string }
  | { kind: "refused"; error: MetaError };

const refused = (error: MetaError): ParsedMessage => ({ kind: "refused", error });

function parseRead(body: JsonObject): ParsedMessage {
  if (body["status"] !== "read") {
    return refused(parameterNotOneOf("status", ["read"], body["status"]));
  }
  const messageId = body["message_id"];
  if (messageId === undefined) {
    return refused(valueMissing("Parameter 'message_id' is mandatory to mark a message as read"));
  }
  if (typeof messageId !== "string" || !messageId.startsWith("wamid.")) {
    return refused(valueNotValid("message_id is not the id of a message that was received"));
  }
  const typing = body["typing_indicator"];
  if (typing !== undefined && (!isObject(typing) || typing["type"] !== "text")) {
    const got = isObject(typing) ? typing["type"] : typing;
    return refused(parameterNotOneOf("typing_indicator['type']", ["text"], got));
  }
  return { kind: "read", messageId };
}

function parsePhone(to: unknown): Recipient | MetaError {
  const input = typeof to === "number" ? String(to) : to;
  if (typeof input !== "string") {
    return parameterInvalid("Param to must be a string.");
  }
  const waId = input.replaceAll(/[\s+().-]/g, "");
  return /^\d{4,20}$/.test(waId)
    ? { kind: "phone", input, waId }
    : valueNotValid("Recipient phone number is not valid");
}

function parseGroup(to: unknown): Recipient | MetaError {
  return typeof to === "string"
    ? { kind: "group", groupId: to }
    : parameterInvalid("Param to must be a string.");
}

function parseRecipient(body: JsonObject): Recipient | MetaError {
  const { to, recipient, recipient_type: recipientType = "individual" } = body;
  if (recipientType !== "individual" && recipientType !== "group") {
    return parameterNotOneOf("recipient_type", ["individual", "group"], recipientType);
  }
  if (to !== undefined && to !== null && to !== "") {
    return recipientType === "group" ? parseGroup(to) : parsePhone(to);
  }
  return typeof recipient === "string" && recipient !== ""
    ? { kind: "user", userId: recipient }
    : parameterRequired("to");
}

function checkExtras(body: JsonObject): MetaError | undefined {
  const { context, biz_opaque_callback_data: callbackData } = body;
  if (context !== undefined && (!isObject(context) || typeof context["message_id"] !== "string")) {
    return parameterRequired("context['message_id']");
  }
  if (callbackData === undefined) {
    return undefined;
  }
  if (typeof callbackData !== "string") {
    return parameterInvalid("Param biz_opaque_callback_data must be a string.");
  }
  return callbackData.length > CALLBACK_DATA_CHARACTERS_MAX
    ? parameterTooLong("biz_opaque_callback_data", CALLBACK_DATA_CHARACTERS_MAX)
    : undefined;
}

function parseSend(body: JsonObject): ParsedMessage {
  const recipient = parseRecipient(body);
  if (!("kind" in recipient)) {
    return refused(recipient);
  }
  const type = body["type"] ?? "text";
  if (typeof type !== "string" || !MESSAGE_TYPES.includes(type)) {
    return refused(parameterNotOneOf("type", MESSAGE_TYPES, type));
  }
  const error = checkContent(type, body[type]) ?? checkExtras(body);
  if (error !== undefined) {
    return refused(error);
  }
  const callbackData = body["biz_opaque_callback_data"];
  const extras = typeof callbackData === "string" ? { bizOpaqueCallbackData: callbackData } : {};
  return { kind: "send", message: { recipient, type, ...extras } };
}

/** Validates a body as Meta does, and tells a send from a read receipt. */
export function parseMessage(body: unknown): ParsedMessage {
  if (!isObject(body) || body["messaging_product"] === undefined) {
    return refused(parameterRequired("messaging_product"));
  }
  if (body["messaging_product"] !== "whatsapp") {
    return refused(parameterNotOneOf("messaging_product", ["whatsapp"], body["messaging_product"]));
  }
  return body["status"] === undefined ? parseSend(body) : parseRead(body);
}
