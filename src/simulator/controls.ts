import type { Fault, FaultScript } from "./http/fault.ts";
import type { RecordedRequest } from "./http/recorded-request.ts";
import type { BoundedLog } from "./bounded-log.ts";
import { envelope } from "./messages/envelope.ts";
import { type InboundMessage, inboundFields } from "./messages/inbound-message.ts";
import type { NewPhoneNumber, PhoneNumber, PhoneNumberState } from "./numbers/phone-number.ts";
import type { PhoneNumbers } from "./numbers/phone-numbers.ts";
import type { Notification } from "./webhooks/notification.ts";
import type { WebhookSender } from "./webhooks/webhook-sender.ts";

/** A number as its owner learns of it when it is made. */
export type CreatedPhoneNumber = Pick<
  PhoneNumber,
  "phoneNumberId" | "displayPhoneNumber" | "wabaId" | "channelId" | "apiKey"
>;

/** What tests and the control API can make the simulator do. */
export type SimulatorControls = {
  createNumber: (chosen?: NewPhoneNumber) => CreatedPhoneNumber;
  listNumbers: () => PhoneNumber[];
  getNumber: (phoneNumberId: string) => PhoneNumber;
  /** Makes a new key. The old one is dead at once, and the number forgets its webhook. */
  rotateKey: (phoneNumberId: string) => string;
  setNumberState: (phoneNumberId: string, state: Partial<PhoneNumberState>) => void;
  /** A user writes to the number: its webhook is called. */
  receiveMessage: (inbound: InboundMessage) => { messageId: string; notification: Notification };
  /** Posts any body to the number's webhook: bytes as they are, all else as JSON. */
  notify: (phoneNumberId: string, body: unknown) => Notification;
  /** Lets the next fitting call of the Messaging API go wrong. Faults happen in the order given. */
  failNext: (fault: Fault) => void;
  listFaults: () => Fault[];
  clearFaults: () => void;
  /** The Messaging API calls that came in, oldest first. */
  readonly requests: readonly RecordedRequest[];
  clearRequests: () => void;
  /** What was or is to be posted to webhooks, oldest first. */
  readonly notifications: readonly Notification[];
  /** Forgets them in this list; those that wait are still sent. */
  clearNotifications: () => void;
};

/** Binds the controls to the simulator's parts. */
export function createControls(parts: {
  phoneNumbers: PhoneNumbers;
  sender: WebhookSender;
  faults: FaultScript;
  requests: BoundedLog<RecordedRequest>;
  rotationClearsWebhook: boolean;
}): SimulatorControls {
  const { phoneNumbers, sender, faults, requests, rotationClearsWebhook } = parts;
  return {
    createNumber(chosen = {}) {
      const { phoneNumberId, displayPhoneNumber, wabaId, channelId, apiKey } =
        phoneNumbers.create(chosen);
      return { phoneNumberId, displayPhoneNumber, wabaId, channelId, apiKey };
    },
    listNumbers: () => phoneNumbers.list().map((phoneNumber) => structuredClone(phoneNumber)),
    getNumber: (phoneNumberId) => structuredClone(phoneNumbers.get(phoneNumberId)),
    rotateKey: (phoneNumberId) =>
      phoneNumbers.rotateKey(phoneNumberId, { clearWebhook: rotationClearsWebhook }),
    setNumberState: (phoneNumberId, state) => phoneNumbers.setState(phoneNumberId, state),
    receiveMessage(inbound) {
      const phoneNumber = phoneNumbers.get(inbound.phoneNumberId);
      const { messageId, fields } = inboundFields(inbound, new Date());
      const body = Buffer.from(JSON.stringify(envelope(phoneNumber, fields)));
      return { messageId, notification: sender.send(phoneNumber.phoneNumberId, body) };
    },
    notify(phoneNumberId, body) {
      phoneNumbers.get(phoneNumberId);
      const bytes =
        body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
      return sender.send(phoneNumberId, bytes);
    },
    failNext: (fault) => faults.add(fault),
    listFaults: () => faults.faults,
    clearFaults: () => faults.clear(),
    requests: requests.entries,
    clearRequests: () => requests.clear(),
    notifications: sender.notifications,
    clearNotifications: () => sender.clearNotifications(),
  };
}
