import { request } from "undici";
import { isObject, type JsonObject } from "../../../src/simulator/json.ts";

/** One HTTP call with JSON both ways; text that is not JSON comes back as it is. */
export async function call(
  url: string,
  options: {
    method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    apiKey?: string;
    body?: unknown;
  } = {},
) {
  const { method = "GET", apiKey, body } = options;
  const response = await request(url, {
    method,
    headers: {
      ...(apiKey === undefined ? {} : { "D360-API-KEY": apiKey }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.body.text();
  let json: JsonObject = {};
  try {
    const parsed: unknown = JSON.parse(text);
    json = isObject(parsed) ? parsed : {};
  } catch {
    // Left as text.
  }
  return { status: response.statusCode, headers: response.headers, text, json };
}

/** A body that `POST /messages` takes. */
export const textTo = (to: string | number, extra: JsonObject = {}) => ({
  messaging_product: "whatsapp",
  to,
  type: "text",
  text: { body: "Hello" },
  ...extra,
});

/** A body that marks a message as read. */
export const readReceipt = {
  messaging_product: "whatsapp",
  status: "read",
  message_id: "wamid.X",
};
