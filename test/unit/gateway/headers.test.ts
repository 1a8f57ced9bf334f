import { describe, expect, it } from "vitest";
import { pickAnswerHeaders, upstreamRequestHeaders } from "../../../src/gateway/headers.ts";

function sent(headers: Record<string, string>): Record<string, string> {
  const list = upstreamRequestHeaders(headers, "req_1");
  return Object.fromEntries(
    list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? ""]] : [])),
  );
}

const answered = (headers: Record<string, string | string[]>) => pickAnswerHeaders(headers);

describe("the headers of a call upstream", () => {
  it("tell about the content and the request, and who calls", () => {
    expect(
      sent({
        "content-type": "application/json",
        accept: "*/*",
        "accept-language": "en_US",
        traceparent: "00-0-0-01",
      }),
    ).toEqual({
      "x-request-id": "req_1",
      "user-agent": "waba-gateway",
      "content-type": "application/json",
      accept: "*/*",
      "accept-language": "en_US",
      traceparent: "00-0-0-01",
    });
  });

  it.each([
    "authorization",
    "d360-api-key",
    "cookie",
    "x-api-key",
    "proxy-authorization",
    "host",
    "connection",
    "transfer-encoding",
    "content-length",
    "upgrade",
    "te",
    "expect",
    "x-forwarded-for",
    "forwarded",
    "idempotency-key",
    "x-phone-number-id",
    "x-request-id",
    "user-agent",
    "accept-encoding",
    "x-anything-else",
  ])("never carry the caller's %s", (name) => {
    expect(Object.values(sent({ [name]: "the caller's own" }))).not.toContain("the caller's own");
  });
});

describe("the headers of an answer", () => {
  it("are those about the content and when to try again", () => {
    expect(
      answered({
        "content-type": "application/json; charset=UTF-8",
        "retry-after": "5",
        etag: '"1"',
      }),
    ).toEqual({ "content-type": "application/json; charset=UTF-8", "retry-after": "5" });
  });

  it.each([
    "set-cookie",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
    "trailer",
    "access-control-allow-origin",
    "server",
    "x-fb-trace-id",
    "x-business-use-case-usage",
    "strict-transport-security",
    "content-length",
    "via",
    "www-authenticate",
  ])("never hold upstream's %s", (name) => {
    expect(answered({ [name]: "x" })).toEqual({});
    expect(answered({ [name]: ["x", "y"] })).toEqual({});
  });

  it("may be none, or one that came twice: then the last", () => {
    expect(answered({})).toEqual({});
    expect(answered({ "retry-after": ["5", "7"] })).toEqual({ "retry-after": "7" });
  });
});
