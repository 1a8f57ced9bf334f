import { digitsFrom } from "../../ids.ts";
import type { PhoneNumber } from "../../numbers/phone-number.ts";
import type { Operation } from "../operation.ts";
import { ownSuccess } from "../answers/own-answer.ts";

// The app is 360dialog's, the same for every number.
const APP_ID = digitsFrom("app", 15);

function entities(phoneNumber: PhoneNumber) {
  const ids = [
    ["PHONE_NUMBER", phoneNumber.phoneNumberId],
    ["WABA", phoneNumber.wabaId],
    ["BUSINESS", digitsFrom(`business of ${phoneNumber.wabaId}`, 15)],
    ["APP", APP_ID],
  ];
  return ids.map(([type, id]) => ({ entity_type: type, id, can_send_message: "AVAILABLE" }));
}

/** `GET /health_status`: whether the number can send, and on request which number it is. */
export const getHealthStatus: Operation = ({ phoneNumber, query }) => {
  const fields = (query.get("fields") ?? "").split(",").map((field) => field.trim());
  return ownSuccess({
    health_status: { can_send_message: "AVAILABLE", entities: entities(phoneNumber) },
    ...(fields.includes("display_phone_number")
      ? { display_phone_number: phoneNumber.displayPhoneNumber }
      : {}),
    id: phoneNumber.phoneNumberId,
  });
};
