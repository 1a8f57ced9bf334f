import { describe, expect, it } from "vitest";
import { isRegistrationBlock } from "../../../src/partner/registrations/registration-block.ts";

describe("a refusal of a registration", () => {
  it.each([
    ["Meta's code", { code: 133016, detail: "(#133016) Account register rate limit hit" }, true],
    ["360dialog's words", { detail: "Too many registration requests for this number" }, true],
    ["360dialog's words", { detail: "Registration limit exceeded" }, true],
    ["a wrong PIN", { code: 133005, detail: "Two-step verification PIN mismatch" }, false],
    ["another limit", { code: 130429, detail: "Rate limit hit" }, false],
  ])("is told from others by %s: %j", (_by, refusal, expected) => {
    expect(isRegistrationBlock(refusal)).toBe(expected);
  });
});
