import type { PhoneNumber } from "../../numbers/phone-number.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { Operation } from "../operation.ts";
import { pageOf } from "../paging.ts";

const present = (phoneNumber: PhoneNumber) => ({
  verified_name: "Simulated business",
  code_verification_status: "VERIFIED",
  display_phone_number: phoneNumber.displayPhoneNumber,
  quality_rating: "GREEN",
  platform_type: "CLOUD_API",
  throughput: { level: "STANDARD" },
  id: phoneNumber.phoneNumberId,
});

/** `GET /phone_numbers`: the numbers of the caller's WABA. */
export function listPhoneNumbers(list: () => readonly PhoneNumber[]): Operation {
  return proxied((call) => {
    const { wabaId } = call.phoneNumber;
    const { items, paging } = pageOf({
      call,
      node: wabaId,
      edge: "phone_numbers",
      items: list().filter((phoneNumber) => phoneNumber.wabaId === wabaId),
      keyOf: ({ phoneNumberId }) => phoneNumberId,
    });
    return { data: items.map(present), paging };
  });
}
