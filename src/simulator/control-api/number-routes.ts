import type { Answer } from "../http/answer.ts";
import { allowOnly, objectBody, optionalFlag, optionalText, present } from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { presentPhoneNumber } from "./present.ts";
import { type ControlCall, route } from "./route.ts";

function createNumber({ controls, body }: ControlCall): Answer {
  const fields = objectBody(body);
  allowOnly(fields, ["phone_number_id", "display_phone_number", "waba_id"]);
  const { phoneNumberId } = controls.createNumber(
    present({
      phoneNumberId: optionalText(fields, "phone_number_id"),
      displayPhoneNumber: optionalText(fields, "display_phone_number"),
      wabaId: optionalText(fields, "waba_id"),
    }),
  );
  return jsonAnswer(201, presentPhoneNumber(controls.getNumber(phoneNumberId)));
}

function showNumber({ controls, phoneNumberId }: ControlCall): Answer {
  return jsonAnswer(200, presentPhoneNumber(controls.getNumber(phoneNumberId)));
}

function changeNumber(call: ControlCall): Answer {
  const fields = objectBody(call.body);
  allowOnly(fields, ["disabled", "unpaid", "not_running", "registration_blocked", "pin"]);
  call.controls.setNumberState(
    call.phoneNumberId,
    present({
      disabled: optionalFlag(fields, "disabled"),
      unpaid: optionalFlag(fields, "unpaid"),
      notRunning: optionalFlag(fields, "not_running"),
      registrationBlocked: optionalFlag(fields, "registration_blocked"),
      pin: optionalText(fields, "pin"),
    }),
  );
  return showNumber(call);
}

function rotateKey(call: ControlCall): Answer {
  call.controls.rotateKey(call.phoneNumberId);
  return showNumber(call);
}

/** Numbers and their keys. */
export const NUMBER_ROUTES = [
  route("GET", "/numbers", ({ controls }) =>
    jsonAnswer(200, { numbers: controls.listNumbers().map(presentPhoneNumber) }),
  ),
  route("POST", "/numbers", createNumber),
  route("GET", "/numbers/ID", showNumber),
  route("PATCH", "/numbers/ID", changeNumber),
  route("POST", "/numbers/ID/rotate-key", rotateKey),
];
