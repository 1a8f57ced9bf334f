import type { Answer } from "../http/answer.ts";
import type { OutgoingMessage } from "../messages/outgoing-message.ts";
import type { PhoneNumber, Webhook } from "../numbers/phone-number.ts";

/** A call with a good key to a path on the allow-list. */
export type OperationCall = {
  phoneNumber: PhoneNumber;
  query: URLSearchParams;
  contentType: string;
  body: Buffer;
};

/** What operations may set going. */
export type OperationEffects = {
  acceptMessage: (phoneNumber: PhoneNumber, wamid: string, message: OutgoingMessage) => void;
  setWebhook: (phoneNumber: PhoneNumber, webhook: Webhook) => void;
  checkWebhookUrl: (url: string) => string | undefined;
};

/** One call of the Messaging API. */
export type Operation = (call: OperationCall, effects: OperationEffects) => Answer;
