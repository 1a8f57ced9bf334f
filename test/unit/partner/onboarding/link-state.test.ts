import { describe, expect, it } from "vitest";
import { readState, signState } from "../../../../src/partner/onboarding/link-state.ts";
import { Secret } from "../../../../src/secret.ts";

const SECRET = new Secret("the platform secret");
const LINK = { linkId: "onb_1", tenantId: "ten_1" };

describe("the state of a link", () => {
  it("is read by whoever signed it", () => {
    expect(readState(signState(LINK, SECRET), SECRET)).toEqual(LINK);
  });

  it("counts for nothing when anything of it is changed, or another signed it", () => {
    const state = signState(LINK, SECRET);
    const forged = [
      signState(LINK, new Secret("another")),
      state.replace("ten_1", "ten_2"),
      state.replace("onb_1", "onb_2"),
      state.slice(0, -2),
      `${state}.more`,
      `${state.split(".").slice(0, 2).join(".")}.`,
      "",
      "..",
    ];
    expect(forged.map((text) => readState(text, SECRET))).toEqual(forged.map(() => undefined));
  });
});
