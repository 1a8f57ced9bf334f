import { assert, json, oneof, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { readMessage } from "../../../src/gateway/read-message.ts";

const read = (body: string) => {
  const { recipient, user, type, callbackData, isStatus } = readMessage(Buffer.from(body));
  return { recipient, user, type, callbackData, isStatus };
};
const nothing = {
  recipient: undefined,
  user: undefined,
  type: undefined,
  callbackData: undefined,
  isStatus: false,
};

describe("readMessage", () => {
  it.each([
    ["a text", '{"to":"15550001111","type":"text"}', { recipient: "15550001111", type: "text" }],
    ["a number as `to`", '{"to":15550001111}', { recipient: "15550001111" }],
    ["callback data", '{"biz_opaque_callback_data":"x"}', { callbackData: "x", user: undefined }],
    ["a BSUID", '{"recipient":"US.1234"}', { recipient: "US.1234", user: "US.1234" }],
    ["both: `to` wins", '{"to":"1","recipient":"US.2"}', { recipient: "1" }],
    ["null as `to`", '{"to":null,"recipient":"US.2"}', { recipient: "US.2", user: "US.2" }],
    [
      "a `to` longer than any id",
      JSON.stringify({ to: "x".repeat(201) }),
      { recipient: "x".repeat(201), user: undefined },
    ],
    ["an object as `to`", '{"to":{"a":1}}', {}],
    [
      "a text without a type that also has a status",
      '{"to":"15550100002","status":null,"text":{"body":"hi"}}',
      { recipient: "15550100002", user: "15550100002" },
    ],
    [
      "one whose status is a word",
      '{"to":"15550100002","status":"read","text":{"body":"hi"}}',
      { recipient: "15550100002", user: "15550100002" },
    ],
    ["a read receipt", '{"status":"read","message_id":"w"}', { isStatus: true }],
    ["a message with a status member", '{"type":"text","status":"x"}', { type: "text" }],
    ["an empty body", "", {}],
    ["no JSON", "{", {}],
    ["a list", "[1]", {}],
    ["null", "null", {}],
  ])("reads %s", (_name, body, expected: object) => {
    const user = (expected as { recipient?: string }).recipient;
    expect(read(body)).toEqual({ ...nothing, user, ...expected });
  });

  it.each([
    ["+1 (555) 000-1111", "15550001111"],
    ["1.555.000", "1555000"],
    ["US.12 34", "US.12 34"],
  ])("counts %s as %s", (to, user) => {
    expect(read(JSON.stringify({ to })).user).toBe(user);
  });

  it("counts no user for a group", () => {
    expect(read('{"to":"120363","recipient_type":"group"}')).toMatchObject({
      recipient: "120363",
      user: undefined,
    });
  });

  it("reads any bytes", () => {
    assert(
      property(oneof(json(), string()), (body) => {
        expect(typeof readMessage(Buffer.from(body)).isStatus).toBe("boolean");
      }),
    );
  });
});
