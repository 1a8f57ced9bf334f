import { describe, expect, it } from "vitest";
import { envelope } from "../../../../src/simulator/messages/envelope.ts";
import { inboundFields } from "../../../../src/simulator/messages/inbound-message.ts";
import { newPhoneNumber } from "../../../../src/simulator/numbers/phone-number.ts";

const now = new Date("2026-01-02T03:04:05.678Z");

describe("inboundFields", () => {
  it("makes a text with a contact", () => {
    const { messageId, fields } = inboundFields(
      { phoneNumberId: "1", from: "49170", text: "Hello", profileName: "Ada" },
      now,
    );
    expect(fields).toEqual({
      contacts: [{ profile: { name: "Ada" }, wa_id: "49170" }],
      messages: [
        {
          from: "49170",
          id: messageId,
          timestamp: "1767323045",
          type: "text",
          text: { body: "Hello" },
        },
      ],
    });
  });

  it("knows a user without a phone", () => {
    const inbound = { phoneNumberId: "1", userId: "US.1234", text: "Hello", groupId: "g" };
    expect(inboundFields(inbound, now).fields).toEqual({
      contacts: [{ profile: { name: "User US.1234" }, user_id: "US.1234" }],
      messages: [expect.objectContaining({ from_user_id: "US.1234", group_id: "g", type: "text" })],
    });
    expect(() => inboundFields({ phoneNumberId: "1", text: "Hello" }, now)).toThrow("wa_id");
  });

  it("takes any other kind as it is given", () => {
    const message = { type: "image", image: { id: "7" }, timestamp: "1" };
    const inbound = { phoneNumberId: "1", from: "49170", messageId: "wamid.X", message };
    expect(inboundFields(inbound, now).fields["messages"]).toEqual([
      { from: "49170", id: "wamid.X", ...message },
    ]);
  });

  it.each([{}, { text: "Hello", message: { type: "image" } }])("refuses %j", (content) => {
    expect(() => inboundFields({ phoneNumberId: "1", from: "49170", ...content }, now)).toThrow(
      "either text or message",
    );
  });
});

describe("envelope", () => {
  it("names WABA and number as Meta does", () => {
    const phoneNumber = newPhoneNumber({
      phoneNumberId: "106540352242922",
      displayPhoneNumber: "+1 555-078-3881",
      wabaId: "102290129340398",
    });
    expect(envelope(phoneNumber, { messages: [] })).toEqual({
      object: "whatsapp_business_account",
      entry: [
        {
          id: "102290129340398",
          changes: [
            {
              field: "messages",
              value: {
                messaging_product: "whatsapp",
                metadata: {
                  display_phone_number: "15550783881",
                  phone_number_id: "106540352242922",
                },
                messages: [],
              },
            },
          ],
        },
      ],
    });
  });
});
