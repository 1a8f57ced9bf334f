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
const ANSWER_HEADERS = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "retry-after",
] as const;

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
 * A body that is passed on `asItComes` keeps its length; one that is kept whole is counted when it
 * is written.
 */
export function pickAnswerHeaders(
  headers: IncomingHttpHeaders,
  { asItComes = false } = {},
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of ANSWER_HEADERS) {
    pick(headers, name, picked);
  }
  if (asItComes) {
    pick(headers, "content-length", picked);
  }
  return picked;
}

/** Of one that came more than once, the last. */
function pick(headers: IncomingHttpHeaders, name: string, picked: Record<string, string>): void {
  const value = headers[name];
  const last = typeof value === "string" ? value : value?.at(-1);
  if (last !== undefined) {
    picked[name] = last;
  }
}
