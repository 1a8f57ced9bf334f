import { describe, expect, it } from "vitest";
import { formsOf, parseUser } from "../../../src/records/users.ts";

describe("parseUser", () => {
  it.each<[string, unknown, string | undefined]>([
    ["digits", "15550002222", "15550002222"],
    ["a number", 15_550_002_222, "15550002222"],
    ["a plus and spaces", "+1 555 000 2222", "15550002222"],
    ["brackets, dots and hyphens", "+1 (555) 000-22.22", "15550002222"],
    ["a business-scoped id", "US.13491208655302741918", "US.13491208655302741918"],
    ["a parent's", "US.ENT.11815799212886844830", "US.ENT.11815799212886844830"],
    ["words", "somebody", undefined],
    ["an e-mail address", "a@b.example", undefined],
    ["nothing", "", undefined],
    ["null", null, undefined],
    ["an object", { phone: "1" }, undefined],
    ["too few digits", "12", undefined],
    ["too many", "1".repeat(21), undefined],
    ["a fraction", 1.5e300, undefined],
    ["a NUL", "US.\0", undefined],
  ])("reads %s", (_what, value, user) => {
    expect(parseUser(value)).toBe(user);
  });
});

describe("formsOf", () => {
  it.each([
    ["Brazil with the ninth digit", "5511987654321", ["5511987654321", "551187654321"]],
    ["Brazil without it", "551187654321", ["551187654321", "5511987654321"]],
    ["a Brazilian landline", "551133334444", ["551133334444"]],
    ["Mexico with the 1", "5215512345678", ["5215512345678", "525512345678"]],
    ["Mexico without it", "525512345678", ["525512345678", "5215512345678"]],
    ["Argentina with the 9", "5491123456789", ["5491123456789", "541123456789"]],
    ["Argentina without it", "541123456789", ["541123456789", "5491123456789"]],
    ["elsewhere", "15550002222", ["15550002222"]],
    ["a business-scoped id", "BR.551187654321", ["BR.551187654321"]],
  ])("knows the forms of %s", (_where, user, forms) => {
    expect(formsOf(user)).toEqual(forms);
  });
});
