import { errors } from "undici";
import { HostRefused } from "./connect.ts";

/** Why there was no answer. `connect`: never connected; `reset`: connected, then broken off before a status line. */
export type FailureReason =
  "timeout" | "dns" | "connect" | "tls" | "reset" | "protocol" | "invalid_request" | "aborted";

const DETAILS: Record<Exclude<FailureReason, "dns">, string> = {
  timeout: "No answer within the time allowed.",
  connect: "The connection could not be made.",
  tls: "The TLS connection could not be made.",
  reset: "The connection was closed before an answer.",
  protocol: "The answer was not HTTP/1.1.",
  invalid_request: "The request cannot be sent as HTTP/1.1.",
  aborted: "The request was given up.",
};

const REASONS: Readonly<Record<string, keyof typeof DETAILS>> = {
  UND_ERR_INVALID_ARG: "invalid_request",
  UND_ERR_NOT_SUPPORTED: "invalid_request",
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "invalid_request",
  UND_ERR_DESTROYED: "aborted",
  UND_ERR_CLOSED: "aborted",
  UND_ERR_ABORTED: "aborted",
  UND_ERR_HEADERS_OVERFLOW: "protocol",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "protocol",
};

const TLS_CODES =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|PATH_LENGTH_)/;

/**
 * Names what went wrong for the tenant. The error's own message is never passed on: Node and undici put addresses in it;
 * its code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`) holds none.
 * @param isConnected whether the request was handed to a connection before it failed
 */
export function explainFailure(
  err: unknown,
  isConnected: boolean,
): { reason: FailureReason; detail: string } {
  if (err instanceof HostRefused) {
    return { reason: "dns", detail: err.message };
  }
  if (err instanceof errors.HTTPParserError) {
    return { reason: "protocol", detail: DETAILS.protocol };
  }
  const code = codeOf(err);
  const reason = reasonOf(code, isConnected);
  const isOurs = code === undefined || code.startsWith("UND_ERR");
  return {
    reason,
    detail: isOurs ? DETAILS[reason] : `${DETAILS[reason].slice(0, -1)} (${code}).`,
  };
}

/** The failure of a request that our own side ended. */
export function giveUp(reason: "timeout" | "aborted"): { reason: FailureReason; detail: string } {
  return { reason, detail: DETAILS[reason] };
}

function reasonOf(code: string | undefined, isConnected: boolean): keyof typeof DETAILS {
  const byConnection = isConnected ? "reset" : "connect";
  if (code === undefined) {
    return byConnection;
  }
  return TLS_CODES.test(code) ? "tls" : (REASONS[code] ?? byConnection);
}

function codeOf(err: unknown): string | undefined {
  return err instanceof Error && "code" in err && typeof err.code === "string"
    ? err.code
    : undefined;
}
