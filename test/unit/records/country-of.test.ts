import { describe, expect, it } from "vitest";
import { countryOf } from "../../../src/records/country-of.ts";

describe("countryOf", () => {
  it.each([
    ["12125550123", "US"],
    ["14165550123", "CA"],
    ["17875550123", "PR"],
    ["18765550123", "JM"],
    ["79161234567", "RU"],
    ["77011234567", "KZ"],
    ["447797123456", "JE"],
    ["390612345678", "IT"],
    ["3906698123456", "VA"],
    ["5511987654321", "BR"],
    ["551187654321", "BR"],
    ["5215512345678", "MX"],
    ["5351234567", "CU"],
    ["989121234567", "IR"],
    ["8501912345678", "KP"],
    ["963944123456", "SY"],
    // No plan has these, but their calling code is of one country.
    ["5300000000", "CU"],
    ["98000000000", "IR"],
    // Of the many countries of +1, nobody's.
    ["15550002222", undefined],
    ["99999999999", undefined],
    ["123", undefined],
    ["BR.13491208655302741918", "BR"],
    ["US.ENT.11815799212886844830", "US"],
  ])("places %s in %s", (user, country) => {
    expect(countryOf(user)).toBe(country);
  });
});
