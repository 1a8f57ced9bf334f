import type { JsonObject } from "../json.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";

/** Meta's envelope around the fields of one `messages` change of one number. */
export function envelope(phoneNumber: PhoneNumber, fields: JsonObject): JsonObject {
  return {
    object: "whatsapp_business_account",
    entry: [
      {
        id: phoneNumber.wabaId,
        changes: [
          {
            value: {
              messaging_product: "whatsapp",
              metadata: {
                display_phone_number: phoneNumber.displayPhoneNumber.replaceAll(/\D/g, ""),
                phone_number_id: phoneNumber.phoneNumberId,
              },
              ...fields,
            },
            field: "messages",
          },
        ],
      },
    ],
  };
}
