import { describe, expect, it } from "vitest";
import { createCheckVersion, etagOf } from "../../../src/http/etag.ts";

const CURRENT = etagOf({ name: "Acme" });

function judged(ifMatch: string | undefined, etag: string | undefined = CURRENT): string {
  try {
    createCheckVersion(ifMatch)(etag);
    return "fits";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("If-Match", () => {
  it.each([
    ["nothing", undefined, "fits"],
    ["anything", "*", "fits"],
    ["the version", CURRENT, "fits"],
    ["a list with it", `"a", ${CURRENT} ,"b,c"`, "fits"],
    ["another version", '"a"', "etag_mismatch"],
    ["an empty tag", '""', "etag_mismatch"],
    ["the version, weakly", `W/${CURRENT}`, "etag_mismatch"],
    ["a word", "abc", "invalid_parameter"],
    ["no text at all", "", "invalid_parameter"],
    ["a tag and rubbish", `"a" "b"`, "invalid_parameter"],
  ])("with %s", (_name, ifMatch, expected) => {
    expect(judged(ifMatch)).toBe(expected);
  });

  it("fits nothing where there is nothing, but when it is not sent", () => {
    expect(() => createCheckVersion(undefined)(undefined)).not.toThrow();
    for (const ifMatch of ["*", CURRENT]) {
      expect(() => createCheckVersion(ifMatch)(undefined)).toThrow("changed since");
    }
  });
});

describe("an ETag", () => {
  it("differs with each part, hidden ones too", () => {
    const parts = [[1], [1, null], [1, Buffer.from("a")], [1, Buffer.from("b")]];
    expect(new Set(parts.map((each) => etagOf(...each))).size).toBe(4);
    expect(etagOf(1, Buffer.from("a"))).toBe(etagOf(1, Buffer.from("a")));
  });
});
