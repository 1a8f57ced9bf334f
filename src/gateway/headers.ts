import type { IncomingHttpHeaders } from "node:http";

/** Our id of a send, `msg_…`. */
export const MESSAGE_ID_HEADER = "gateway-message-id";
/** Codes of the guards that warn of a send which went all the same. */
export const WARNING_HEADER = "gateway-warning";

/** What goes upstream of a caller's headers. No credential and no cookie can be among them. */
const REQUEST_HEADERS = [
  "content-type",
  "content-encoding",
  "accept",
  "accept-language",
  // Of a resumable upload.
  "file_offset",
  // W3C Trace Context.
  "traceparent",
  "tracestate",
] as const;

/** What comes back of 360dialog's: about the content, and when to try again. */
const ANSWER_HEADERS = new Set([
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "retry-after",
]);

/** Name and value in turn, as undici takes them. */
export function upstreamRequestHeaders(headers: IncomingHttpHeaders, requestId: string): string[] {
  const picked = ["x-request-id", requestId, "user-agent", "waba-gateway"];
  for (const name of REQUEST_HEADERS) {
    const value = headers[name];
    if (typeof value === "string") {
      picked.push(name, value);
    }
  }
  return picked;
}

/**
 * From undici's raw headers: name and value in turn, as bytes. A body that is passed on `asItComes`
 * keeps its length; one that is kept whole is counted when it is written.
 */
export function pickAnswerHeaders(
  rawHeaders: readonly Buffer[],
  { asItComes = false } = {},
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toString("latin1").toLowerCase() ?? "";
    if (ANSWER_HEADERS.has(name) || (asItComes && name === "content-length")) {
      picked[name] = rawHeaders[index + 1]?.toString("latin1") ?? "";
    }
  }
  return picked;
}
