import type { Answer } from "../../http/answer.ts";
import { parseJson } from "../../json.ts";
import type { PhoneNumber, Webhook } from "../../numbers/phone-number.ts";
import { metaFormError, ownSuccess } from "../answers/own-answer.ts";
import type { OperationRow } from "../operation.ts";
import { type CheckWebhookUrl, parseWebhook } from "./parse-webhook.ts";

/** Takes a webhook from the body and has it set; 360dialog does not call it. */
export function setWebhookFrom(
  body: Buffer,
  checkUrl: CheckWebhookUrl,
  set: (webhook: Webhook) => void,
): Answer {
  const parsed = parseWebhook(parseJson(body), checkUrl);
  if (parsed.kind === "refused") {
    return metaFormError(400, "Invalid webhook configuration", [parsed.detail]);
  }
  set(parsed.webhook);
  return ownSuccess(parsed.webhook);
}

/** `/v1/configs/webhook`: 404 until something is set. */
export function numberWebhookOperations(parts: {
  checkUrl: CheckWebhookUrl;
  setWebhook: (phoneNumber: PhoneNumber, webhook: Webhook) => void;
}): OperationRow[] {
  return [
    [
      "GET",
      "/v1/configs/webhook",
      ({ phoneNumber: { webhook } }) =>
        webhook === undefined
          ? metaFormError(404, "Webhook is not configured")
          : ownSuccess(webhook),
    ],
    [
      "POST",
      "/v1/configs/webhook",
      ({ phoneNumber, body }) =>
        setWebhookFrom(body, parts.checkUrl, (webhook) => parts.setWebhook(phoneNumber, webhook)),
    ],
  ];
}
