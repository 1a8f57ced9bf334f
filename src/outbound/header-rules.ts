/** A header that a tenant may not have us send, told to the tenant as it is. */
export type BrokenHeaderRule = { code: "header_invalid"; name: string; detail: string };

// RFC 9110, 5.6.2 (token), less `_`, which 360dialog refuses and proxies drop. A token has no `:` anyway.
const NAME = /^[!#$%&'*+.^`|~0-9A-Za-z-]+$/;

// Visible ASCII, and spaces between (`Bearer …`); anything else could end the header or be read in two ways.
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const OURS = new Set([
  "host",
  "content-length",
  "expect", // RFC 9110, 10.1.1: changes how the request is sent, as the next ones do
  "connection", // from here: hop-by-hop (RFC 9110, 7.6.1, and RFC 2616, 13.5.1)
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "trailers",
  "transfer-encoding",
  "upgrade",
  "x-hub-signature-256",
]);

/**
 * Judges the headers that a tenant wants on every delivery.
 * @returns one entry for each header that is refused, in the order given; empty when all may be sent
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): BrokenHeaderRule[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const detail = whatIsWrong(name, value);
    return detail === undefined ? [] : [{ code: "header_invalid" as const, name, detail }];
  });
}

function whatIsWrong(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  if (!NAME.test(name)) {
    return "A header name is a token of RFC 9110 without underscores and colons.";
  }
  if (OURS.has(lower) || lower.startsWith("webhook-")) {
    return "This header belongs to the connection or to the signature and cannot be set.";
  }
  if (!VALUE.test(value)) {
    return "A header value is visible ASCII, with spaces only between.";
  }
  return undefined;
}
