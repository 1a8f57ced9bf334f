import { describe, expect, it } from "vitest";
import { parseMessage } from "../../../../../src/simulator/messaging-api/sending/parse-message.ts";

const base = { messaging_product: "whatsapp", to: "491701234567" };
const text = { ...base, type: "text", text: { body: "Hello" } };

describe("parseMessage", () => {
  it.each([
    ["a text", text],
    ["a text without its type", { ...base, text: { body: "Hello" } }],
    ["a number in place of digits", { ...text, to: 491701234567 }],
    ["digits with a plus and spaces", { ...text, to: "+49 170 1234567" }],
    ["media by link", { ...base, type: "image", image: { link: "https://example.com/a.jpg" } }],
    ["media by id", { ...base, type: "video", video: { id: "1" } }],
    [
      "an old template with a language policy",
      {
        ...base,
        type: "template",
        template: { name: "hi", language: { policy: "deterministic", code: "en" } },
      },
    ],
    [
      "an interactive message",
      { ...base, type: "interactive", interactive: { type: "button", action: { buttons: [] } } },
    ],
    [
      "a reaction taken back",
      { ...base, type: "reaction", reaction: { message_id: "wamid.X", emoji: "" } },
    ],
    ["nulls for what is not there", { ...text, recipient: null, context: null, status: null }],
    ["a null for its type", { ...text, type: null, biz_opaque_callback_data: null }],
    ["a block without its type", { ...base, image: { id: "1" } }],
    ["a number in place of a media id", { ...base, type: "image", image: { id: 1, link: null } }],
    ["a number for a text", { ...base, text: { body: 4711, preview_url: null } }],
    [
      "a template's button with an index of either kind",
      {
        ...base,
        type: "template",
        template: {
          name: "hi",
          language: { code: "en" },
          components: [
            { type: "button", sub_type: "URL", index: 0, parameters: [] },
            { type: "button", sub_type: "quick_reply", index: "1", parameters: [] },
          ],
        },
      },
    ],
    ["a pin", { ...base, type: "pin", pin: { message_id: "wamid.X" } }],
    [
      "a location in texts",
      { ...base, type: "location", location: { latitude: "1.5", longitude: "2" } },
    ],
    ["contacts", { ...base, type: "contacts", contacts: [{ name: {} }] }],
    ["a reply", { ...text, context: { message_id: "wamid.X" } }],
  ])("takes %s", (_name, body) => {
    expect(parseMessage(body)).toMatchObject({
      kind: "send",
      message: { recipient: { kind: "phone", waId: "491701234567" } },
    });
  });

  it.each([
    "button",
    "list",
    "cta_url",
    "flow",
    "product",
    "product_list",
    "catalog_message",
    "location_request_message",
    "address_message",
    "voice_call",
    "call_permission_request",
    "request_contact_info",
    "carousel",
    "order_details",
    "order_status",
  ])("takes an interactive %s", (type) => {
    const body = { ...base, type: "interactive", interactive: { type, action: {} } };
    expect(parseMessage(body)).toMatchObject({ kind: "send", message: { type: "interactive" } });
  });

  it("takes a user known by an id only", () => {
    const { to: _to, ...body } = { ...text, recipient: "US.1234" };
    expect(parseMessage(body)).toMatchObject({
      message: { recipient: { kind: "user", userId: "US.1234" } },
    });
  });

  it("takes a group", () => {
    expect(parseMessage({ ...text, to: "Y2FwaV9n", recipient_type: "group" })).toMatchObject({
      message: { recipient: { kind: "group", groupId: "Y2FwaV9n" } },
    });
  });

  it("keeps the callback data", () => {
    expect(parseMessage({ ...text, biz_opaque_callback_data: "order 7" })).toMatchObject({
      message: { bizOpaqueCallbackData: "order 7" },
    });
  });

  it.each([
    ["a read receipt", { status: "read", message_id: "wamid.X" }],
    ["typing", { status: "read", message_id: "wamid.X", typing_indicator: { type: "text" } }],
  ])("tells %s from a send", (_name, body) => {
    expect(parseMessage({ messaging_product: "whatsapp", ...body })).toEqual({
      kind: "read",
      messageId: "wamid.X",
    });
  });

  it.each([
    ["no object", "text", 100, "The parameter messaging_product is required."],
    [
      "an on-premise body",
      { to: "49170", type: "text", text: { body: "x" } },
      100,
      "The parameter messaging_product is required.",
    ],
    [
      "another product",
      { ...text, messaging_product: "sms" },
      100,
      'Param messaging_product must be one of {WHATSAPP} - got "sms".',
    ],
    ["nobody to send to", { ...text, to: undefined }, 100, "The parameter to is required."],
    [
      "a recipient that is no number",
      { ...text, to: "you" },
      131009,
      "Parameter value is not valid",
    ],
    ["a block that is missing", { ...base, type: "text" }, 131008, "Required parameter is missing"],
    [
      "an empty text",
      { ...base, text: { body: "" } },
      100,
      "The parameter text['body'] is required.",
    ],
    [
      "a text beyond the limit",
      { ...base, text: { body: "x".repeat(4097) } },
      100,
      "Param text['body'] must be at most 4096 characters long.",
    ],
    ["media without a source", { ...base, type: "image", image: {} }, 100, "Invalid parameter"],
    [
      "a template without a language",
      { ...base, type: "template", template: { name: "hi" } },
      100,
      "The parameter template['language']['code'] is required.",
    ],
    [
      "callback data beyond the limit",
      { ...text, biz_opaque_callback_data: "x".repeat(513) },
      100,
      "Param biz_opaque_callback_data must be at most 512 characters long.",
    ],
    [
      "a read receipt for no message",
      { messaging_product: "whatsapp", status: "read" },
      131008,
      "Required parameter is missing",
    ],
    [
      "a read receipt for another kind of id",
      { messaging_product: "whatsapp", status: "read", message_id: "gBEGkYaYVSEEAgnPFrOLcjkFjL8" },
      131009,
      "Parameter value is not valid",
    ],
  ])("refuses %s", (_name, body, code, message) => {
    expect(parseMessage(body)).toMatchObject({
      kind: "refused",
      error: { status: 400, code, message },
    });
  });

  it("names the types when it does not know one", () => {
    expect(parseMessage({ ...base, type: "fax", fax: {} })).toMatchObject({
      error: {
        code: 100,
        message: expect.stringMatching(/^Param type must be one of \{TEXT, .*"fax"/),
      },
    });
  });
});
