import { describe, expect, it } from "vitest";
import { wamidOf } from "../../../src/records/write-messages.ts";

describe("the wamid of an answer", () => {
  it.each([
    ["its first message's", '{"messages":[{"id":"wamid.A"},{"id":"wamid.B"}]}', "wamid.A"],
    ["its first call's", '{"calls":[{"id":"wacid.A"}]}', "wacid.A"],
    [
      "the same where an answer is as usual",
      `{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.C+/=","message_status":"accepted"}]}`,
      "wamid.C+/=",
    ],
    ["none for a mark as read", '{"success":true}', null],
    ["none for no list", '{"messages":1}', null],
    ["none for null", "null", null],
    ["none for no JSON", "<html>", null],
    ["none for nothing", "", null],
  ])("is %s", (_name, answer, expected) => {
    expect(wamidOf(Buffer.from(answer))).toBe(expected);
  });
});
