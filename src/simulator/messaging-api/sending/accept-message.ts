import { envelope } from "../../messages/envelope.ts";
import type { OutgoingMessage } from "../../messages/outgoing-message.ts";
import { playStatuses } from "../../messages/play-statuses.ts";
import type { PhoneNumber } from "../../numbers/phone-number.ts";
import type { Settings } from "../../options.ts";
import type { Timers } from "../../timers.ts";
import type { WebhookSender } from "../../webhooks/webhook-sender.ts";

/** Sets going what follows an accepted message: its statuses. */
export type AcceptMessage = (
  phoneNumber: PhoneNumber,
  wamid: string,
  message: OutgoingMessage,
) => void;

/** Binds the statuses of accepted messages to the number's webhook. */
export function createAcceptMessage(parts: {
  settings: Pick<Settings, "statuses" | "statusDelayMs">;
  sender: WebhookSender;
  timers: Timers;
}): AcceptMessage {
  const { settings, sender, timers } = parts;
  return (phoneNumber, wamid, message) => {
    playStatuses({
      wamid,
      message,
      statuses: settings.statuses,
      delayMs: settings.statusDelayMs,
      timers,
      publish: (entry) => {
        sender.sendJson(phoneNumber.phoneNumberId, envelope(phoneNumber, { statuses: [entry] }));
      },
    });
  };
}
