import { describe, expect, it } from "vitest";
import { parseExpiry } from "../../../src/tenancy/long-lived-token-routes.ts";

const NOW = new Date("2024-02-29T12:00:00.500Z");

describe("the end of a long-lived token", () => {
  it.each<[string | undefined, string]>([
    [undefined, "2025-03-01T12:00:00.000Z"],
    ["2025-03-01T12:00:00.500Z", "2025-03-01T12:00:00.000Z"],
    ["2024-02-29T13:00:01.999+01:00", "2024-02-29T12:00:01.000Z"],
    ["2024-12-31T23:59:59Z", "2024-12-31T23:59:59.000Z"],
  ])("of %s is %s, in whole seconds", (wish, end) => {
    expect(parseExpiry(wish, NOW).toISOString()).toBe(end);
  });

  it.each(["2024-02-29T12:00:00.999Z", "2025-03-01T12:00:01Z", "2016-12-31T23:59:60Z"])(
    "cannot be %s",
    (wish) => {
      expect(() => parseExpiry(wish, NOW)).toThrow(
        expect.objectContaining({
          errors: [expect.objectContaining({ code: "expires_at_range" })],
        }),
      );
    },
  );
});
