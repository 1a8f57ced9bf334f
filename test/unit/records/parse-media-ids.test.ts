import { describe, expect, it } from "vitest";
import { mediaIdsOf } from "../../../src/records/parse-media-ids.ts";

const idsOf = (message: unknown, fields: { type?: string; list?: string } = {}) =>
  mediaIdsOf({
    tenantId: "ten_1",
    type: fields.type ?? "message.received",
    phoneNumberId: "101",
    value: { [fields.list ?? "messages"]: [message] },
  }).map(({ mediaId }) => mediaId);

describe("the media ids of an inbound message", () => {
  it.each(["image", "video", "audio", "document", "sticker"])("are that of its %s", (type) => {
    expect(idsOf({ type, [type]: { id: "8001" } })).toEqual(["8001"]);
  });

  it("are those of a message that was edited", () => {
    const message = { type: "image", image: { id: "8002" } };
    expect(idsOf({ type: "edit", edit: { original_message_id: "wamid.A", message } })).toEqual([
      "8002",
    ]);
  });

  it("are those of an echo", () => {
    const image = { id: "8003" };
    expect(idsOf({ image }, { type: "message.echo", list: "message_echoes" })).toEqual(["8003"]);
  });

  it.each([
    ["of another type", { text: { id: "1" } }],
    ["that is null", null],
    ["whose image is null", { image: null }],
    ["whose id is no text", { image: { id: 1 } }],
    ["whose id is none", { image: { id: "../\0" } }],
  ])("are none of a message %s", (_name, message) => {
    expect(idsOf(message)).toEqual([]);
  });
});
