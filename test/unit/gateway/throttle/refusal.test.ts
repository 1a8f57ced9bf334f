import { describe, expect, it } from "vitest";
import { refusalError, refusalOf } from "../../../../src/gateway/throttle/refusal.ts";
import { renderProblem } from "../../../../src/http/problem.ts";

const render = (...refusal: Parameters<typeof refusalOf>) => {
  const context = { requestId: "r", whatsApp: true };
  const { status, headers, body } = renderProblem(refusalError(refusalOf(...refusal)), context);
  return { status, headers, body: JSON.parse(body) };
};

describe("refusalError", () => {
  it("answers 429 with the headers that say how long and why", () => {
    const { status, headers, body } = render("number", { calls: 80, seconds: 1 }, 120);
    expect(status).toBe(429);
    expect(headers).toMatchObject({
      "retry-after": "1",
      ratelimit: '"number";r=0;t=1',
      "ratelimit-policy": '"number";q=80;w=1',
    });
    expect(body).toMatchObject({ code: "rate_limited", error: { code: 130429 } });
  });

  it("answers a pair with Meta's code for pairs", () => {
    const { headers, body } = render("pair", { calls: 45, seconds: 270 }, 5001);
    expect(headers).toMatchObject({
      "retry-after": "6",
      ratelimit: '"pair";r=0;t=6',
      "ratelimit-policy": '"pair";q=45;w=270',
    });
    expect(body.error).toMatchObject({ code: 131056, message: "(#131056) Too many requests" });
  });

  it.each(["upload", "media_lookup"] as const)(
    "answers %s with Meta's throughput code",
    (limit) => {
      expect(render(limit, { calls: 1, seconds: 1 }, 0).body.error.code).toBe(130429);
    },
  );
});
