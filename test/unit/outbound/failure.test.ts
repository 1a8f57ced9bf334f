import { describe, expect, it } from "vitest";
import { HostRefused } from "../../../src/outbound/connect.ts";
import { explainFailure } from "../../../src/outbound/failure.ts";
import { refuse } from "../../../src/outbound/resolve.ts";

const errorWith = (code: string, message = "connect ECONNREFUSED 10.1.2.3:443") =>
  Object.assign(new Error(message), { code });

describe("explainFailure", () => {
  it.each([
    ["ECONNREFUSED", false, "connect"],
    ["EHOSTUNREACH", false, "connect"],
    ["ENETUNREACH", false, "connect"],
    ["ETIMEDOUT", false, "connect"],
    ["UND_ERR_CONNECT_TIMEOUT", false, "connect"],
    ["ECONNRESET", false, "connect"],
    ["ECONNRESET", true, "reset"],
    ["EPIPE", true, "reset"],
    ["UND_ERR_SOCKET", true, "reset"],
    ["UND_ERR_HEADERS_OVERFLOW", true, "protocol"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", false, "tls"],
    ["CERT_HAS_EXPIRED", false, "tls"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false, "tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", false, "tls"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", false, "tls"],
    ["EPROTO", false, "tls"],
    ["UND_ERR_INVALID_ARG", false, "invalid_request"],
    ["UND_ERR_DESTROYED", false, "aborted"],
    ["UND_ERR_CLOSED", false, "aborted"],
  ])("calls %s (connected: %s) %s and passes no address on", (code, isConnected, reason) => {
    const explained = explainFailure(errorWith(code), isConnected);
    expect(explained.reason).toBe(reason);
    expect(explained.detail).not.toContain("10.1.2.3");
    expect(explained.detail).not.toContain("UND_ERR");
  });

  it("names the system's code, which tells the tenant what to mend", () => {
    expect(explainFailure(errorWith("CERT_HAS_EXPIRED"), false).detail).toBe(
      "The TLS connection could not be made (CERT_HAS_EXPIRED).",
    );
  });

  it("calls a host that does not resolve a DNS failure", () => {
    expect(explainFailure(new HostRefused(refuse("url_unresolvable")), false)).toEqual({
      reason: "dns",
      detail: "The host name does not resolve to an address.",
    });
  });

  it.each([new Error("10.1.2.3"), "10.1.2.3", undefined, { code: 7 }])(
    "has words for anything (%s)",
    (err) => {
      expect(explainFailure(err, true)).toEqual({
        reason: "reset",
        detail: "The connection was closed before an answer.",
      });
    },
  );
});
