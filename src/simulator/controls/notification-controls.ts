import type { JsonObject } from "../json.ts";
import { type CallEvent, callFields } from "../messages/call-event.ts";
import { envelope } from "../messages/envelope.ts";
import { type InboundMessage, inboundFields } from "../messages/inbound-message.ts";
import { type PreferenceChange, preferenceFields } from "../messages/preference-change.ts";
import { reportedEntry, type StatusReport } from "../messages/status-report.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import type { Notification } from "../webhooks/notification.ts";
import type { WebhookSender } from "../webhooks/webhook-sender.ts";

/** What a number's webhook is told. */
export type NotificationControls = {
  /** A user writes to the number: its webhook is called. */
  receiveMessage: (inbound: InboundMessage) => { messageId: string; notification: Notification };
  /** A user calls the number, or the call ends. */
  receiveCall: (event: CallEvent) => { callId: string; notification: Notification };
  /** A user stops or resumes marketing messages. */
  changePreference: (change: PreferenceChange) => Notification;
  /** A status of any message, at any time, in any order. */
  reportStatus: (report: StatusReport) => Notification;
  /** Posts any body to the number's webhook: bytes as they are, all else as JSON. */
  notify: (phoneNumberId: string, body: unknown) => Notification;
  /** What was or is to be posted to webhooks, oldest first. */
  readonly notifications: readonly Notification[];
  /** Forgets them in this list; those that wait are still sent. */
  clearNotifications: () => void;
};

/** Binds these controls to the numbers' webhooks. */
export function createNotificationControls(parts: {
  phoneNumbers: PhoneNumbers;
  sender: WebhookSender;
}): NotificationControls {
  const { phoneNumbers, sender } = parts;
  const tell = (phoneNumber: PhoneNumber, fields: JsonObject, field?: string) =>
    sender.sendJson(phoneNumber.phoneNumberId, envelope(phoneNumber, fields, field));
  return {
    receiveMessage(inbound) {
      const phoneNumber = phoneNumbers.get(inbound.phoneNumberId);
      const { messageId, fields } = inboundFields(inbound, new Date());
      return { messageId, notification: tell(phoneNumber, fields) };
    },
    receiveCall(event) {
      const phoneNumber = phoneNumbers.get(event.phoneNumberId);
      const { callId, fields } = callFields(phoneNumber, event, new Date());
      return { callId, notification: tell(phoneNumber, fields, "calls") };
    },
    changePreference: (change) =>
      tell(
        phoneNumbers.get(change.phoneNumberId),
        preferenceFields(change, new Date()),
        "user_preferences",
      ),
    reportStatus: (report) =>
      tell(phoneNumbers.get(report.phoneNumberId), {
        statuses: [reportedEntry(report, new Date())],
      }),
    notify(phoneNumberId, body) {
      phoneNumbers.get(phoneNumberId);
      return body instanceof Uint8Array
        ? sender.send(phoneNumberId, Buffer.from(body))
        : sender.sendJson(phoneNumberId, body);
    },
    notifications: sender.notifications,
    clearNotifications: () => sender.clearNotifications(),
  };
}
