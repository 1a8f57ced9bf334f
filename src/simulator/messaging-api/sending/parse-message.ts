import { isObject, type JsonObject } from "../../json.ts";
import type { OutgoingMessage } from "../../messages/outgoing-message.ts";
import {
  type MetaError,
  parameterInvalid,
  parameterNotOneOf,
  parameterRequired,
  parameterTooLong,
  valueMissing,
  valueNotValid,
} from "../answers/meta-errors.ts";
import { checkContent, MESSAGE_TYPES } from "./check-content.ts";
import { parseRecipient } from "./parse-recipient.ts";

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
  const type = body["type"] ?? MESSAGE_TYPES.find((known) => known in body) ?? "text";
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

/** Meta takes a null for a parameter that is not there. */
function withoutNulls(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

/** What every body needs, whatever is sent with it. */
export function checkProduct(body: JsonObject): MetaError | undefined {
  const product = body["messaging_product"];
  if (product === undefined) {
    return parameterRequired("messaging_product");
  }
  return product === "whatsapp"
    ? undefined
    : parameterNotOneOf("messaging_product", ["whatsapp"], product);
}

/** Validates a body as Meta does, and tells a send from a read receipt. */
export function parseMessage(given: unknown): ParsedMessage {
  const body = isObject(given) ? withoutNulls(given) : {};
  const error = checkProduct(body);
  if (error !== undefined) {
    return refused(error);
  }
  return body["status"] === undefined ? parseSend(body) : parseRead(body);
}
