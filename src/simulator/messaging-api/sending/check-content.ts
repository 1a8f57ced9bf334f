import { isObject, type JsonObject } from "../../json.ts";
import {
  type MetaError,
  parameterInvalid,
  parameterNotOneOf,
  parameterRequired,
  parameterTooLong,
  valueMissing,
} from "../answers/meta-errors.ts";

const TEXT_CHARACTERS_MAX = 4096;
const INTERACTIVE_TYPES = [
  "button",
  "list",
  "product",
  "product_list",
  "catalog_message",
  "cta_url",
  "flow",
  "location_request_message",
  "address_message",
  "call_permission_request",
  "voice_call",
  "request_contact_info",
  "carousel",
  "order_details",
  "order_status",
];

type CheckBlock = (block: JsonObject, type: string) => MetaError | undefined;

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A text, or a number or flag that Meta turns into one. */
function isScalar(value: unknown): value is string | number | boolean {
  return isText(value) || typeof value === "number" || typeof value === "boolean";
}

const checkText: CheckBlock = ({ body }) => {
  if (!isScalar(body)) {
    return parameterRequired("text['body']");
  }
  return String(body).length > TEXT_CHARACTERS_MAX
    ? parameterTooLong("text['body']", TEXT_CHARACTERS_MAX)
    : undefined;
};

const checkMedia: CheckBlock = ({ id, link }, type) =>
  isScalar(id) === isText(link)
    ? parameterInvalid(`Exactly one of id and link must be given for ${type}.`)
    : undefined;

const checkTemplate: CheckBlock = ({ name, language, components }) => {
  if (!isText(name)) {
    return parameterRequired("template['name']");
  }
  if (!isObject(language) || !isText(language["code"])) {
    return parameterRequired("template['language']['code']");
  }
  return components === undefined || components === null || Array.isArray(components)
    ? undefined
    : parameterInvalid("template['components'] must be an array.");
};

const checkInteractive: CheckBlock = ({ type, action }) => {
  if (typeof type !== "string" || !INTERACTIVE_TYPES.includes(type)) {
    return parameterNotOneOf("interactive['type']", INTERACTIVE_TYPES, type);
  }
  return isObject(action) ? undefined : parameterRequired("interactive['action']");
};

const checkReaction: CheckBlock = ({ message_id: messageId, emoji }) => {
  if (!isText(messageId)) {
    return parameterRequired("reaction['message_id']");
  }
  // An empty emoji takes a reaction back, so it must be there but may be empty.
  return typeof emoji === "string" ? undefined : parameterRequired("reaction['emoji']");
};

const checkLocation: CheckBlock = ({ latitude, longitude }) => {
  return [latitude, longitude].every(isScalar)
    ? undefined
    : valueMissing("A location needs latitude and longitude.");
};

const checkPin: CheckBlock = ({ message_id: messageId }) =>
  isText(messageId) ? undefined : parameterRequired("pin['message_id']");

const CHECKS: Readonly<Record<string, CheckBlock>> = {
  text: checkText,
  template: checkTemplate,
  interactive: checkInteractive,
  image: checkMedia,
  audio: checkMedia,
  video: checkMedia,
  document: checkMedia,
  sticker: checkMedia,
  location: checkLocation,
  reaction: checkReaction,
  pin: checkPin,
};

/** The message types that can be sent. */
export const MESSAGE_TYPES: readonly string[] = [...Object.keys(CHECKS), "contacts"];

/** Checks the block named like the type. */
export function checkContent(type: string, block: unknown): MetaError | undefined {
  if (block === undefined || block === null) {
    return valueMissing(`Parameter '${type}' is mandatory for type '${type}'`);
  }
  if (type === "contacts") {
    const isFilled = Array.isArray(block) && block.length > 0;
    return isFilled ? undefined : parameterInvalid("contacts must be a non-empty array.");
  }
  if (!isObject(block)) {
    return parameterInvalid(`Param ${type} must be a JSON object.`);
  }
  return CHECKS[type]?.(block, type);
}
