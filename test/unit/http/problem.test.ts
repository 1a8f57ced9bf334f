import { describe, expect, it } from "vitest";
import { ApiError, InvalidRequest, NotFound } from "../../../src/errors.ts";
import { renderProblem } from "../../../src/http/problem.ts";

const rendered = (error: unknown, whatsApp: boolean) => {
  const { body, ...rest } = renderProblem(error, { requestId: "req_1", whatsApp });
  return { ...rest, body: JSON.parse(body) as Record<string, unknown> };
};

describe("a problem document", () => {
  it("tells what went wrong, by RFC 9457", () => {
    expect(rendered(new NotFound(), false)).toEqual({
      status: 404,
      headers: { "content-type": "application/problem+json" },
      body: {
        type: "urn:waba-gateway:error:not_found",
        title: "Not found",
        status: 404,
        detail: "There is nothing here for this caller.",
        code: "not_found",
        request_id: "req_1",
      },
    });
  });

  it("names each broken rule of bad input", () => {
    const errors = [{ code: "url_port", pointer: "/url", detail: "Leave the port out." }];
    expect(rendered(new InvalidRequest(errors), false).body).toMatchObject({ errors });
  });

  it("has the error's own members and headers", () => {
    const error = new ApiError("outcome_unknown", "It may have been sent.", {
      members: { message_id: "msg_1" },
      headers: { "retry-after": "5" },
    });
    const { body, headers } = rendered(error, false);
    expect(body).toMatchObject({ message_id: "msg_1" });
    expect(headers).toMatchObject({ "retry-after": "5" });
  });

  it("has Meta's error beside it where clients parse by that", () => {
    const { headers, body } = rendered(new ApiError("token_invalid", "It has expired."), true);
    expect(headers).toEqual({ "content-type": "application/json; charset=utf-8" });
    expect(body).toMatchObject({
      code: "token_invalid",
      request_id: "req_1",
      error: {
        message: "(#190) The token is not valid",
        type: "OAuthException",
        code: 190,
        error_data: { messaging_product: "whatsapp", details: "It has expired." },
        fbtrace_id: "req_1",
      },
    });
  });

  it.each([
    ["an error that nobody expected", new Error("password=hunter2 at /srv/app.ts")],
    ["what is no error", "password=hunter2"],
    ["nothing", undefined],
  ])("says nothing of %s", (_name, error) => {
    for (const whatsApp of [true, false]) {
      const { status, body } = rendered(error, whatsApp);
      expect(status).toBe(500);
      expect(body).toMatchObject({ code: "internal_error", request_id: "req_1" });
      expect(JSON.stringify(body)).not.toContain("hunter2");
    }
  });

  it("says nothing of an error's cause", () => {
    const cause = new Error("connect ECONNREFUSED 10.0.0.1:5432");
    const { body } = rendered(new ApiError("overloaded", "Try again.", { cause }), false);
    expect(JSON.stringify(body)).not.toContain("ECONNREFUSED");
  });
});
