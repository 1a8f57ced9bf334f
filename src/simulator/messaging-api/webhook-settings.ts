import { isObject, parseJson } from "../json.ts";
import type { Operation } from "./operation.ts";
import { metaFormError, ownSuccess } from "./own-answer.ts";

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

function isHeaders(value: unknown): value is Record<string, string> {
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([name, text]) =>
        HEADER_NAME.test(name) && typeof text === "string" && HEADER_VALUE.test(text),
    )
  );
}

function badRequest(detail: string) {
  return metaFormError(400, "Invalid webhook configuration", [detail]);
}

/** `GET /v1/configs/webhook`: 404 until something is set. */
export const getWebhook: Operation = ({ phoneNumber }) =>
  phoneNumber.webhook === undefined
    ? metaFormError(404, "Webhook is not configured")
    : ownSuccess(phoneNumber.webhook);

/** `POST /v1/configs/webhook`: replaces URL and headers; the URL is not called. */
export const setWebhook: Operation = ({ phoneNumber, body }, effects) => {
  const json = parseJson(body);
  if (!isObject(json)) {
    return badRequest("the body must be a JSON object");
  }
  const { url, headers = {} } = json;
  if (typeof url !== "string" || url === "") {
    return badRequest("url is required");
  }
  if (!isHeaders(headers)) {
    return badRequest("headers must be an object of header names and values");
  }
  const wrong = effects.checkWebhookUrl(url);
  if (wrong !== undefined) {
    return badRequest(wrong);
  }
  effects.setWebhook(phoneNumber, { url, headers });
  return ownSuccess({ url, headers });
};
