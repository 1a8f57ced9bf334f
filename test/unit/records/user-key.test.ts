import { describe, expect, it } from "vitest";
import { userKey } from "../../../src/records/user-key.ts";

describe("what users are compared by", () => {
  it.each([
    ["a phone's digits", "+1 (555) 000-2222", "15550002222"],
    ["a phone as it is", "15550002222", "15550002222"],
    ["a group's id", "120363040000000001", "120363040000000001"],
    [
      "a business-scoped id, with its letters",
      "US.13491208655302741918",
      "US.13491208655302741918",
    ],
    ["nothing for no digit", "+", null],
    ["nothing for nothing", undefined, null],
    ["nothing for null", null, null],
  ])("is %s", (_name, recipient, expected) => {
    expect(userKey(recipient)).toBe(expected);
  });
});
