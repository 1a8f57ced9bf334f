import { isObject } from "../../json.ts";
import type { Webhook } from "../../numbers/phone-number.ts";

/** Why a URL is not taken; undefined when it is. */
export type CheckWebhookUrl = (url: string) => string | undefined;

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

const refused = (detail: string) => ({ kind: "refused", detail }) as const;

/** A webhook as a caller writes it, or what is wrong with it. */
export function parseWebhook(
  json: unknown,
  checkUrl: CheckWebhookUrl,
): { kind: "webhook"; webhook: Webhook } | ReturnType<typeof refused> {
  if (!isObject(json)) {
    return refused("the body must be a JSON object");
  }
  const { url } = json;
  const headers = json["headers"] ?? {};
  if (typeof url !== "string" || url === "") {
    return refused("url is required");
  }
  if (!isHeaders(headers)) {
    return refused("headers must be an object of header names and values");
  }
  const wrong = checkUrl(url);
  return wrong === undefined ? { kind: "webhook", webhook: { url, headers } } : refused(wrong);
}
