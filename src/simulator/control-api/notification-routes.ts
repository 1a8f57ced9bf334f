import type { Answer } from "../http/answer.ts";
import { InvalidInput, objectBody } from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { parseCallEvent, parseInbound, parsePreference } from "./parse-inbound.ts";
import { parseStatus } from "./parse-status.ts";
import { presentNotification } from "./present.ts";
import { type ControlCall, done, route } from "./route.ts";

function receiveMessage({ controls, phoneNumberId, body }: ControlCall): Answer {
  const inbound = parseInbound(phoneNumberId, objectBody(body));
  const { messageId, notification } = controls.receiveMessage(inbound);
  return jsonAnswer(202, { message_id: messageId, ...presentNotification(notification) });
}

function receiveCall({ controls, phoneNumberId, body }: ControlCall): Answer {
  const event = parseCallEvent(phoneNumberId, objectBody(body));
  const { callId, notification } = controls.receiveCall(event);
  return jsonAnswer(202, { call_id: callId, ...presentNotification(notification) });
}

function changePreference({ controls, phoneNumberId, body }: ControlCall): Answer {
  const change = parsePreference(phoneNumberId, objectBody(body));
  return jsonAnswer(202, presentNotification(controls.changePreference(change)));
}

function reportStatus({ controls, phoneNumberId, body }: ControlCall): Answer {
  const report = parseStatus(phoneNumberId, objectBody(body));
  return jsonAnswer(202, presentNotification(controls.reportStatus(report)));
}

function notify({ controls, phoneNumberId, body }: ControlCall): Answer {
  if (body.length === 0) {
    throw new InvalidInput("the body is what is to be posted");
  }
  return jsonAnswer(202, presentNotification(controls.notify(phoneNumberId, body)));
}

/** What a number's webhook is told. */
export const NOTIFICATION_ROUTES = [
  route("POST", "/numbers/ID/messages", receiveMessage),
  route("POST", "/numbers/ID/calls", receiveCall),
  route("POST", "/numbers/ID/preferences", changePreference),
  route("POST", "/numbers/ID/statuses", reportStatus),
  route("POST", "/numbers/ID/notifications", notify),
  route("GET", "/notifications", ({ controls }) =>
    jsonAnswer(200, { notifications: controls.notifications.map(presentNotification) }),
  ),
  route("DELETE", "/notifications", ({ controls }) => {
    controls.clearNotifications();
    return done;
  }),
];
