import type { JsonObject } from "../json.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";

/** Meta's envelope around the fields of one change of one number. */
export function envelope(
  phoneNumber: PhoneNumber,
  fields: JsonObject,
  field = "messages",
): JsonObject {
  const value = {
    messaging_product: "whatsapp",
    metadata: {
      display_phone_number: phoneNumber.displayPhoneNumber.replaceAll(/\D/g, ""),
      phone_number_id: phoneNumber.phoneNumberId,
    },
    ...fields,
  };
  return {
    object: "whatsapp_business_account",
    entry: [{ id: phoneNumber.wabaId, changes: [{ value, field }] }],
  };
}

/** Meta's envelope around a change of a WABA, which names no number. */
export function wabaEnvelope(input: {
  wabaId: string;
  field: string;
  value: JsonObject;
  now: Date;
}): JsonObject {
  const { wabaId, field, value, now } = input;
  const time = Math.floor(now.getTime() / 1000);
  return {
    object: "whatsapp_business_account",
    entry: [{ id: wabaId, time, changes: [{ value, field }] }],
  };
}
