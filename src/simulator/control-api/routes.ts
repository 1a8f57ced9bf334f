import type { SimulatorControls } from "../controls.ts";
import type { Answer } from "../http/answer.ts";
import {
  allowOnly,
  InvalidInput,
  objectBody,
  optionalFlag,
  optionalText,
  present,
} from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { parseFault } from "./parse-fault.ts";
import { parseInbound } from "./parse-inbound.ts";
import {
  presentFault,
  presentNotification,
  presentPhoneNumber,
  presentRequest,
} from "./present.ts";

type ControlCall = { controls: SimulatorControls; phoneNumberId: string; body: Buffer };
type Route = { method: string; path: RegExp; answer: (call: ControlCall) => Answer };

const NUMBERS = /^\/simulator\/numbers$/;
const NUMBER = /^\/simulator\/numbers\/([^/]+)$/;
const ROTATION = /^\/simulator\/numbers\/([^/]+)\/rotate-key$/;
const MESSAGES = /^\/simulator\/numbers\/([^/]+)\/messages$/;
const NUMBER_NOTIFICATIONS = /^\/simulator\/numbers\/([^/]+)\/notifications$/;
const FAULTS = /^\/simulator\/faults$/;
const REQUESTS = /^\/simulator\/requests$/;
const NOTIFICATIONS = /^\/simulator\/notifications$/;

const done: Answer = { status: 204, headers: {}, body: Buffer.alloc(0) };

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
  allowOnly(fields, ["disabled", "unpaid", "not_running"]);
  call.controls.setNumberState(
    call.phoneNumberId,
    present({
      disabled: optionalFlag(fields, "disabled"),
      unpaid: optionalFlag(fields, "unpaid"),
      notRunning: optionalFlag(fields, "not_running"),
    }),
  );
  return showNumber(call);
}

function rotateKey(call: ControlCall): Answer {
  call.controls.rotateKey(call.phoneNumberId);
  return showNumber(call);
}

function receiveMessage({ controls, phoneNumberId, body }: ControlCall): Answer {
  const inbound = parseInbound(phoneNumberId, objectBody(body));
  const { messageId, notification } = controls.receiveMessage(inbound);
  return jsonAnswer(202, { message_id: messageId, ...presentNotification(notification) });
}

function notify({ controls, phoneNumberId, body }: ControlCall): Answer {
  if (body.length === 0) {
    throw new InvalidInput("the body is what is to be posted");
  }
  return jsonAnswer(202, presentNotification(controls.notify(phoneNumberId, body)));
}

function addFault({ controls, body }: ControlCall): Answer {
  controls.failNext(parseFault(objectBody(body)));
  return jsonAnswer(201, { faults: controls.listFaults().map(presentFault) });
}

/** Every call of the control API. */
export const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: NUMBERS,
    answer: ({ controls }) =>
      jsonAnswer(200, { numbers: controls.listNumbers().map(presentPhoneNumber) }),
  },
  { method: "POST", path: NUMBERS, answer: createNumber },
  { method: "GET", path: NUMBER, answer: showNumber },
  { method: "PATCH", path: NUMBER, answer: changeNumber },
  { method: "POST", path: ROTATION, answer: rotateKey },
  { method: "POST", path: MESSAGES, answer: receiveMessage },
  { method: "POST", path: NUMBER_NOTIFICATIONS, answer: notify },
  {
    method: "GET",
    path: FAULTS,
    answer: ({ controls }) => jsonAnswer(200, { faults: controls.listFaults().map(presentFault) }),
  },
  { method: "POST", path: FAULTS, answer: addFault },
  {
    method: "DELETE",
    path: FAULTS,
    answer: ({ controls }) => {
      controls.clearFaults();
      return done;
    },
  },
  {
    method: "GET",
    path: REQUESTS,
    answer: ({ controls }) => jsonAnswer(200, { requests: controls.requests.map(presentRequest) }),
  },
  {
    method: "DELETE",
    path: REQUESTS,
    answer: ({ controls }) => {
      controls.clearRequests();
      return done;
    },
  },
  {
    method: "GET",
    path: NOTIFICATIONS,
    answer: ({ controls }) =>
      jsonAnswer(200, { notifications: controls.notifications.map(presentNotification) }),
  },
  {
    method: "DELETE",
    path: NOTIFICATIONS,
    answer: ({ controls }) => {
      controls.clearNotifications();
      return done;
    },
  },
];
