import { describe, expect, it } from "vitest";
import { chooseNumber, type NumberWish } from "../../../src/tenancy/choose-number.ts";
import type { DirectoryNumber } from "../../../src/tenancy/directory.ts";

function number(
  phoneNumberId: string,
  wabaId: string | null,
  state: DirectoryNumber["state"] = "running",
): DirectoryNumber {
  return {
    id: `num_${phoneNumberId}`,
    tenantId: "ten_a",
    phoneNumberId,
    wabaId,
    state,
    throughput: 80,
    baseUrl: null,
    apiKeySealed: null,
    rotating: false,
    apiKey: () => undefined,
  };
}

const ONE = number("101", "900");
const TWO = number("102", "900");
const THREE = number("103", "901");
const NO_WABA = number("104", null);
const ALL = [ONE, TWO, THREE, NO_WABA];

type Case = [
  name: string,
  wish: Partial<NumberWish>,
  expected: string,
  own?: { numbers?: DirectoryNumber[]; among?: string[] },
];

function chosen(
  wish: Partial<NumberWish>,
  own: { numbers?: DirectoryNumber[]; among?: string[] } = {},
): string {
  try {
    return chooseNumber(
      { pathId: undefined, headerId: undefined, queryId: undefined, ...wish },
      { numbers: own.numbers ?? ALL, among: own.among ?? null },
    ).phoneNumberId;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("the number of a call", () => {
  it.each<Case>([
    ["is the one in the path", { pathId: "102" }, "102"],
    ["is the one in the header", { headerId: "102" }, "102"],
    ["is the one in the query", { queryId: "102" }, "102"],
    ["is the one that all three name", { pathId: "102", headerId: "102", queryId: "102" }, "102"],
    ["is named by a number without a WABA", { pathId: "104" }, "104"],
    ["is any of the WABA in the path", { pathId: "900" }, "101"],
    ["is the header's, of the WABA in the path", { pathId: "900", headerId: "102" }, "102"],
    ["is the query's, of the WABA in the path", { pathId: "900", queryId: "102" }, "102"],
    [
      "is the token's, of the WABA in the path",
      { pathId: "900" },
      "102",
      { among: ["102", "103"] },
    ],
    ["is the token's only one", {}, "103", { among: ["103"] }],
    ["is the tenant's only one", {}, "103", { numbers: [THREE] }],
    ["is the tenant's only one, of the token's", {}, "103", { among: ["103", "999"] }],
    [
      "is a running one of the WABA",
      { pathId: "900" },
      "102",
      { numbers: [number("101", "900", "suspended"), TWO] },
    ],
    [
      "is one that is not running where the WABA has no other",
      { pathId: "900" },
      "101",
      { numbers: [number("101", "900", "key_rejected"), number("102", "900", "pending")] },
    ],
    [
      "is the one that is named, running or not",
      { pathId: "101" },
      "101",
      { numbers: [number("101", "900", "suspended"), TWO] },
    ],
    [
      "is the number where a number and a WABA have the same id",
      { pathId: "900" },
      "900",
      { numbers: [ONE, number("900", "901")] },
    ],
  ])("%s", (_name, wish, expected, own) => {
    expect(chosen(wish, own)).toBe(expected);
  });

  it.each<Case>([
    ["path and header", { pathId: "101", headerId: "102" }, "phone_number_conflict"],
    ["path and query", { pathId: "101", queryId: "102" }, "phone_number_conflict"],
    ["header and query", { headerId: "101", queryId: "102" }, "phone_number_conflict"],
    [
      "one of the three",
      { pathId: "101", headerId: "101", queryId: "102" },
      "phone_number_conflict",
    ],
    ["a WABA and a number of another", { pathId: "900", headerId: "103" }, "phone_number_conflict"],
  ])("is refused when two are named: %s", (_name, wish, expected) => {
    expect(chosen(wish)).toBe(expected);
  });

  it.each<Case>([
    ["in the path", { pathId: "999" }, "not_found"],
    ["in the header", { headerId: "999" }, "not_found"],
    ["in the query", { queryId: "999" }, "not_found"],
    ["beside one that is the tenant's", { pathId: "101", headerId: "999" }, "not_found"],
    ["outside the token", { pathId: "101" }, "not_found", { among: ["102"] }],
    ["of a WABA outside the token", { pathId: "901" }, "not_found", { among: ["102"] }],
    ["that is no id", { headerId: "../101" }, "not_found"],
    ["that is empty", { queryId: "" }, "not_found"],
    ["that is null in words", { pathId: "null" }, "not_found"],
    ["of ours", { pathId: "num_101" }, "not_found"],
    ["with a zero before it", { pathId: "0101" }, "not_found"],
  ])("is missing when it is not the tenant's: %s", (_name, wish, expected, own) => {
    expect(chosen(wish, own)).toBe(expected);
  });

  it("is never a WABA's where only a number may be named", () => {
    expect(chosen({ headerId: "900" })).toBe("not_found");
    expect(chosen({ queryId: "900" })).toBe("not_found");
  });

  it("has to be named when there are several", () => {
    expect(chosen({})).toBe("phone_number_required");
    expect(chosen({}, { among: ["101", "102"] })).toBe("phone_number_required");
  });

  it("is missing when there is none", () => {
    expect(chosen({}, { numbers: [] })).toBe("not_found");
    expect(chosen({}, { among: [] })).toBe("not_found");
    expect(chosen({ pathId: "101" }, { numbers: [] })).toBe("not_found");
  });
});
