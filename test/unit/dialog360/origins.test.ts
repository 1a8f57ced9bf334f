import { describe, expect, it } from "vitest";
import { createOrigins } from "../../../src/dialog360/origins.ts";

describe("where a key may go", () => {
  const origins = createOrigins({
    baseUrl: "https://waba-v2.360dialog.io",
    allowedOrigins: ["https://other.360dialog.io"],
  });

  it.each([
    ["a number without a base URL", null, "https://waba-v2.360dialog.io"],
    ["the default, said", "https://waba-v2.360dialog.io", "https://waba-v2.360dialog.io"],
    ["an origin that is allowed", "https://other.360dialog.io", "https://other.360dialog.io"],
    ["one that is not, or no longer", "https://gone.360dialog.io", undefined],
    ["an allowed one with a path", "https://other.360dialog.io/x", undefined],
    ["one that only begins like an allowed one", "https://other.360dialog.io.evil.com", undefined],
  ])("is told for %s", (_name, baseUrl, origin) => {
    expect(origins.resolve(baseUrl)).toBe(origin);
  });
});
