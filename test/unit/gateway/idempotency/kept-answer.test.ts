import { describe, expect, it } from "vitest";
import { isKept } from "../../../../src/gateway/idempotency/kept-answer.ts";

describe("an answer", () => {
  it.each([200, 201, 204, 299, 400, 403, 404, 422, 499])("of %d is given again", (status) => {
    expect(isKept(status)).toBe(true);
  });

  it.each([301, 307, 401, 429, 500, 502, 503, 504])(
    "of %d is not: the next one is sent",
    (status) => {
      expect(isKept(status)).toBe(false);
    },
  );
});
