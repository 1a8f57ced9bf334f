import type { JsonObject } from "../../json.ts";
import type { Recipient } from "../../messages/outgoing-message.ts";
import {
  type MetaError,
  parameterInvalid,
  parameterNotOneOf,
  parameterRequired,
  valueNotValid,
} from "../answers/meta-errors.ts";

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

/** Whom a body sends to: `to` before `recipient`, a group only where it says so. */
export function parseRecipient(body: JsonObject): Recipient | MetaError {
  const { to, recipient, recipient_type: recipientType = "individual" } = body;
  if (recipientType !== "individual" && recipientType !== "group") {
    return parameterNotOneOf("recipient_type", ["individual", "group"], recipientType);
  }
  if (to !== undefined && to !== "") {
    return recipientType === "group" ? parseGroup(to) : parsePhone(to);
  }
  return typeof recipient === "string" && recipient !== ""
    ? { kind: "user", userId: recipient }
    : parameterRequired("to");
}
