import { describe, expect, it } from "vitest";
import { classify, type Outcome, parseRetryAfter } from "../../../src/fanout/outcome.ts";
import type { OutboundResult } from "../../../src/outbound/exchange.ts";

const NOW_MS = Date.parse("2025-06-15T12:00:00Z");

function answer(status: number, headers: Record<string, string> = {}): OutboundResult {
  return {
    kind: "answer",
    status,
    headers,
    body: Buffer.alloc(0),
    bodyTruncated: false,
    byAllowList: false,
    durationMs: 5,
  };
}

const failed = (reason: Extract<OutboundResult, { kind: "failed" }>["reason"]): OutboundResult => ({
  kind: "failed",
  reason,
  detail: "It failed.",
  durationMs: 5,
});

const FAILURE = { kind: "retry", retryAfterMs: 0, sign: "failure", pauseMs: 0 } as const;

describe("what an attempt means", () => {
  it.each<[string, OutboundResult, Outcome]>([
    ["200 is success", answer(200), { kind: "delivered" }],
    ["204 is success", answer(204), { kind: "delivered" }],
    ["299 is success", answer(299), { kind: "delivered" }],
    ["a redirect is a failure", answer(302), FAILURE],
    ["304 is a failure", answer(304), FAILURE],
    ["400 is tried again", answer(400), FAILURE],
    ["401 is tried again", answer(401), FAILURE],
    ["404 is tried again", answer(404), FAILURE],
    ["410 means the endpoint is gone", answer(410), { kind: "endpoint_gone" }],
    ["429 is tried again", answer(429), { ...FAILURE, sign: "busy" }],
    [
      "429 is tried again when it says",
      answer(429, { "retry-after": "7" }),
      { kind: "retry", retryAfterMs: 7000, sign: "busy", pauseMs: 7000 },
    ],
    [
      "503 is tried again when it says",
      answer(503, { "retry-after": "Sun, 15 Jun 2025 12:01:00 GMT" }),
      { kind: "retry", retryAfterMs: 60_000, sign: "busy_failure", pauseMs: 60_000 },
    ],
    ["500 is tried again", answer(500), FAILURE],
    [
      "500 keeps but its own delivery waiting when it says",
      answer(500, { "retry-after": "7" }),
      { ...FAILURE, retryAfterMs: 7000 },
    ],
    ["599 is tried again", answer(599), FAILURE],
    [
      "an address that is not public is tried again",
      { kind: "refused_address", code: "url_resolves_private", detail: "It is.", durationMs: 1 },
      FAILURE,
    ],
    ["a timeout is tried again", failed("timeout"), FAILURE],
    ["our own stop does not count", failed("aborted"), { kind: "interrupted" }],
  ])("%s", (_name, result, expected) => {
    expect(classify(result, NOW_MS)).toEqual(expected);
  });
});

describe("Retry-After", () => {
  it.each<[string, string | string[] | undefined, number]>([
    ["nothing", undefined, 0],
    ["no text", "", 0],
    ["no seconds", "0", 0],
    ["seconds", "120", 120_000],
    ["many seconds", "999999999", 999_999_999_000],
    ["more digits than seconds have", "99999999999999999999", 0],
    ["a date", "Sun, 15 Jun 2025 12:00:30 GMT", 30_000],
    ["a date of RFC 850", "Sunday, 15-Jun-25 12:00:30 GMT", 30_000],
    ["a date of asctime", "Sun Jun 15 12:00:30 2025 GMT", 30_000],
    ["a date that is past", "Sun, 15 Jun 2025 11:00:00 GMT", 0],
    ["a word", "soon", 0],
    ["a negative number", "-5", 0],
    ["a fraction", "1.5", 0],
    ["the first of two", ["3", "9"], 3000],
    ["an empty list", [], 0],
  ])("is read from %s", (_name, value, expected) => {
    expect(parseRetryAfter(value, NOW_MS)).toBe(expected);
  });
});
