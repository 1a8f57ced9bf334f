import { describe, expect, it } from "vitest";
import { findUpstreamSignal } from "../../../../src/gateway/throttle/upstream-signal.ts";

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");

function found(status: number, body: object | string, retryAfter?: string) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { "retry-after": retryAfter };
  return findUpstreamSignal({ status, headers, body: Buffer.from(text) }, NOW_MS);
}

const CURRENT = "You have exceeded the endpoint rate limit.";
const OLDER = "You have exceeded the limit of 1 request every 10 seconds. Try again later.";
const STARS = "You have exceeded the limit of 1 request every * seconds. Try again later.";
const meta = (code: number | string, rest: object = {}) => ({
  error: { message: `(#${code}) x`, type: "OAuthException", code, fbtrace_id: "A", ...rest },
});

describe("findUpstreamSignal", () => {
  it.each([
    ["429 with a body that is not JSON", 429, "Too many requests"],
    ["429 with an empty body", 429, ""],
    ["429 with some other error of Meta's", 429, meta(613)],
    ["the endpoint limit as form A", 400, { meta: { success: false, developer_message: CURRENT } }],
    ["the endpoint limit in form A's details", 400, { meta: { details: [CURRENT] } }],
    ["the endpoint limit as form B", 400, { meta: { httpCode: 400, developerMessage: CURRENT } }],
    ["the endpoint limit as form C", 400, { error: CURRENT }],
    ["the older text, with the stars of the page", 400, { error: STARS }],
    ["the endpoint limit as mere text", 400, CURRENT],
    ["130429 as 400", 400, meta(130429)],
    ["130429 as 403", 403, meta(130429)],
    ["130429 as 429", 429, meta(130429)],
    ["130429 written as text", 400, meta("130429")],
    ["130429 wrapped in detail", 400, { detail: meta(130429) }],
    ["130429 as one of errors", 400, { errors: [{ code: 130429, title: "x" }] }],
    ["130429 in error_data", 400, meta(100, { error_data: { details: "(#130429) too fast" } })],
    ["130429 in the message", 500, meta(1, { message: "(#130429) Rate limit hit" })],
  ])("takes %s for the throughput", (_name, status, body) => {
    expect(found(status, body)).toEqual({ kind: "throughput", retryAfterMs: 0 });
  });

  it.each([
    ["131056 as 400", 400, meta(131056)],
    ["131056 as 403", 403, meta(131056)],
    ["131056 as 429", 429, meta(131056)],
    ["131056 wrapped in detail", 429, { detail: meta(131056) }],
    ["131056 in error_data", 400, meta(100, { error_data: { details: "(#131056) pair" } })],
  ])("takes %s for the pair", (_name, status, body) => {
    expect(found(status, body)?.kind).toBe("pair");
  });

  it.each([
    ["a success that speaks of it", 200, CURRENT],
    ["another 400", 400, meta(131047)],
    ["an error that names no code", 400, { error: "You have exceeded your patience." }],
    ["a 403 of a blocked path", 403, { error: "The endpoint is blocked" }],
    ["a 503", 503, "<html><head><title>503 Service Temporarily Unavailable</title>"],
    ["JSON that is no object", 400, "[1]"],
  ])("takes %s for nothing", (_name, status, body) => {
    expect(found(status, body)).toBeUndefined();
  });

  it.each([
    ["seconds", 429, "", "30", 30_000],
    ["a date", 429, "", "Thu, 01 Jan 2026 00:00:20 GMT", 20_000],
    ["a date that is over", 429, "", "Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["nonsense", 429, "", "soon", 0],
    ["more than an hour", 429, "", "86400", 3_600_000],
    ["the older text", 400, { error: OLDER }, undefined, 10_000],
    ["a header beside the older text", 400, { error: OLDER }, "3", 3000],
  ])("reads how long to wait from %s", (_name, status, body, retryAfter, retryAfterMs) => {
    expect(found(status, body, retryAfter)).toEqual({ kind: "throughput", retryAfterMs });
  });
});
