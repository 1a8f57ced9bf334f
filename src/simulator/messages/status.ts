import type { JsonObject } from "../json.ts";
import type { FailureReason } from "./failing-recipients.ts";
import type { OutgoingMessage, Recipient } from "./outgoing-message.ts";

export const STATUS_NAMES = ["sent", "delivered", "read", "played"] as const;

/** The statuses of a message that goes well; only voice messages are played. */
export type StatusName = (typeof STATUS_NAMES)[number];

const DAY_SECONDS = 86_400;
const ERROR_CODES_URL =
  "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

function recipientFields(recipient: Recipient): JsonObject {
  switch (recipient.kind) {
    case "phone":
      return { recipient_id: recipient.waId };
    case "user":
      return { recipient_user_id: recipient.userId };
    case "group":
      return { recipient_id: recipient.groupId, recipient_type: "group" };
    default:
      return recipient satisfies never;
  }
}

function priceFields(message: OutgoingMessage, conversationId: string, nowSeconds: number) {
  const isTemplate = message.type === "template";
  const category = isTemplate ? "marketing" : "service";
  return {
    conversation: {
      id: conversationId,
      expiration_timestamp: String(nowSeconds + DAY_SECONDS),
      origin: { type: category },
    },
    pricing: {
      billable: isTemplate,
      pricing_model: "PMP",
      category,
      type: isTemplate ? "regular" : "free_customer_service",
    },
  };
}

/** What every status of one message has in common. */
export type StatusContext = { wamid: string; message: OutgoingMessage; conversationId: string };

function commonFields({ wamid, message }: StatusContext, status: string, nowSeconds: number) {
  return {
    id: wamid,
    status,
    timestamp: String(nowSeconds),
    ...recipientFields(message.recipient),
    ...(message.bizOpaqueCallbackData === undefined
      ? {}
      : { biz_opaque_callback_data: message.bizOpaqueCallbackData }),
  };
}

/** One entry of `statuses`; the price comes with `sent` and `delivered` only. */
export function statusEntry(context: StatusContext, status: StatusName, now: Date): JsonObject {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const fields = commonFields(context, status, nowSeconds);
  return status === "read" || status === "played"
    ? fields
    : { ...fields, ...priceFields(context.message, context.conversationId, nowSeconds) };
}

/** The entry that ends a message that could not be delivered. */
export function failedEntry(context: StatusContext, reason: FailureReason, now: Date): JsonObject {
  const { code, title, details } = reason;
  return {
    ...commonFields(context, "failed", Math.floor(now.getTime() / 1000)),
    errors: [{ code, title, message: title, error_data: { details }, href: ERROR_CODES_URL }],
  };
}
