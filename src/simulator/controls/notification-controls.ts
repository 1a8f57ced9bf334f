import { envelope } from "../messages/envelope.ts";
import { type InboundMessage, inboundFields } from "../messages/inbound-message.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import type { Notification } from "../webhooks/notification.ts";
import type { WebhookSender } from "../webhooks/webhook-sender.ts";

/** What a number's webhook is told. */
export type NotificationControls = {
  /** A user writes to the number: its webhook is called. */
  receiveMessage: (inbound: InboundMessage) => { messageId: string; notification: Notification };
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
  return {
    receiveMessage(inbound) {
      const phoneNumber = phoneNumbers.get(inbound.phoneNumberId);
      const { messageId, fields } = inboundFields(inbound, new Date());
      const body = envelope(phoneNumber, fields);
      return { messageId, notification: sender.sendJson(phoneNumber.phoneNumberId, body) };
    },
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
