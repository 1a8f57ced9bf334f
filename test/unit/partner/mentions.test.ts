import { describe, expect, it } from "vitest";
import { mentionsOf, subjectsOf } from "../../../src/partner/erasure/mentions.ts";

describe("a user's mentions", () => {
  const mentions = mentionsOf(["15550001111", "US.4455"]);

  it.each([
    ["15550001111", true],
    ["+15550001111.", true],
    ["US.4455", true],
    ["915550001111", false],
    ["155500011112", false],
    ["US.44556", false],
    ["USx4455", false],
  ])("%s: %s", (text, expected) => {
    expect(mentions.isIn(text)).toBe(expected);
  });

  it("are taken out so that JSON stays JSON, and nothing else changes", () => {
    const body = '{"a":15550001111,"b":["15550001111"],"c":"+15550001111, 915550001111"}';
    const redacted = mentions.redact(body);
    expect(JSON.parse(redacted)).toEqual({
      a: null,
      b: ["erased"],
      c: "+erased, 915550001111",
    });
  });

  it("have every form of a number that WhatsApp may know it by", () => {
    expect(mentionsOf(["5511987654321"]).isIn("551187654321")).toBe(true);
  });
});

describe("the subjects of a notification", () => {
  it("are told by their ids in its lists, and not by what somebody says deeper inside", () => {
    const value = {
      metadata: { display_phone_number: "15559990000" },
      contacts: [{ wa_id: "15550001111", user_id: "US.4455" }],
      messages: [
        {
          from: "15550001111",
          contacts: [{ phones: [{ wa_id: "15550002222" }] }],
          type: "contacts",
        },
      ],
    };
    expect(subjectsOf(value)).toEqual([["15550001111", "US.4455"], ["15550001111"]]);
  });
});
