import { describe, expect, it } from "vitest";
import { ApiError, ERROR_CODES, InvalidRequest, NotFound } from "../../src/errors.ts";
import { renderProblem } from "../../src/http/problem.ts";

describe("an error that the caller may know", () => {
  it("has its code's status", () => {
    for (const [code, { status }] of Object.entries(ERROR_CODES)) {
      expect(new ApiError(code as keyof typeof ERROR_CODES, "detail").status).toBe(status);
    }
  });

  it("has a cause only when there is one", () => {
    const cause = new Error("why");
    expect(new ApiError("overloaded", "detail", { cause }).cause).toBe(cause);
    expect("cause" in new ApiError("overloaded", "detail")).toBe(false);
  });

  it("of what is missing is the same each time, word for word", () => {
    const call = { requestId: "req_1", whatsApp: false };
    expect(renderProblem(new NotFound(), call)).toEqual(renderProblem(new NotFound(), call));
    expect(new NotFound()).toMatchObject({ code: "not_found", status: 404, errors: undefined });
  });

  it("of bad input names each broken rule", () => {
    const errors = [
      { code: "url_port", pointer: "/url", detail: "Leave the port out." },
      { code: "unknown_scope", pointer: "/scopes/0", detail: "There is no such scope." },
    ];
    expect(new InvalidRequest(errors)).toMatchObject({
      code: "invalid_request",
      status: 422,
      errors,
      message: "Leave the port out. There is no such scope.",
    });
  });
});

describe("the error codes", () => {
  it("are words that end up in no sentence twice", () => {
    for (const code of Object.keys(ERROR_CODES)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    }
    const titles = Object.values(ERROR_CODES).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it("map to Meta's codes that clients act on", () => {
    expect(ERROR_CODES.token_invalid.meta).toBe(190);
    expect(ERROR_CODES.token_missing.meta).toBe(190);
    expect(ERROR_CODES.rate_limited.meta).toBe(130429);
  });
});
