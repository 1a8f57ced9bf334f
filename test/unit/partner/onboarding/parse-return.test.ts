import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseReturn } from "../../../../src/partner/onboarding/parse-return.ts";

const given = (text: string) => parseReturn(Object.fromEntries(new URLSearchParams(text)));

describe("what 360dialog's redirect says", () => {
  it("is bare ids in brackets", () => {
    expect(given("client=1CL&channels=[aCH,bCH]&revoked=[cCH]&state=s.t.u")).toEqual({
      state: "s.t.u",
      hubClientId: "1CL",
      channelIds: ["aCH", "bCH"],
      revokedIds: ["cCH"],
    });
  });

  it.each([
    ["no list", "client=1CL", []],
    ["an empty one", "client=1CL&channels=[]", []],
    ["one that is encoded", "client=1CL&channels=%5BaCH%2C%20bCH%5D", ["aCH", "bCH"]],
    ["one in JSON", 'client=1CL&channels=["aCH","bCH"]', ["aCH", "bCH"]],
    ["one without brackets", "client=1CL&channels=aCH", ["aCH"]],
    ["one with an id twice", "client=1CL&channels=[aCH,aCH]", ["aCH"]],
  ])("may have %s", (_name, text, ids) => {
    expect(given(text)?.channelIds).toEqual(ids);
  });

  it.each([
    "client=<script>&channels=[a]",
    "client=1CL&channels=[a b]",
    "client=1CL&channels=[../x]",
    "client=1CL&channels=[[a]]",
    `client=1CL&channels=[${Array.from({ length: 101 }, (_, at) => `c${at}`).join(",")}]`,
  ])("is refused in another form: %s", (text) => {
    expect(given(text)).toBe(undefined);
  });

  it("never makes it throw, and gives only ids", () => {
    const value = fc.oneof(fc.string(), fc.array(fc.string()), fc.anything());
    fc.assert(
      fc.property(fc.record({ client: value, channels: value, revoked: value }), (query) => {
        const read = parseReturn(query);
        for (const id of [...(read?.channelIds ?? []), ...(read?.revokedIds ?? [])]) {
          expect(id).toMatch(/^[\w-]{1,100}$/);
        }
      }),
    );
  });
});
