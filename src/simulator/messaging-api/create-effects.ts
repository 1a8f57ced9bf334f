import { envelope } from "../messages/envelope.ts";
import { playStatuses } from "../messages/play-statuses.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import type { Settings } from "../options.ts";
import type { Timers } from "../timers.ts";
import type { WebhookSender } from "../webhooks/webhook-sender.ts";
import type { OperationEffects } from "./operation.ts";
import { checkWebhookUrl } from "./webhook-url.ts";

/** Binds what operations may set going to the simulator's parts. */
export function createEffects(parts: {
  settings: Settings;
  phoneNumbers: PhoneNumbers;
  sender: WebhookSender;
  timers: Timers;
}): OperationEffects {
  const { settings, phoneNumbers, sender, timers } = parts;
  return {
    acceptMessage(phoneNumber, wamid, message) {
      playStatuses({
        wamid,
        message,
        statuses: settings.statuses,
        delayMs: settings.statusDelayMs,
        timers,
        publish(entry) {
          const body = envelope(phoneNumber, { statuses: [entry] });
          sender.send(phoneNumber.phoneNumberId, Buffer.from(JSON.stringify(body)));
        },
      });
    },
    setWebhook: (phoneNumber, webhook) =>
      phoneNumbers.setWebhook(phoneNumber.phoneNumberId, webhook),
    checkWebhookUrl: (url) =>
      checkWebhookUrl(url, { allowLoopback: settings.allowLoopbackWebhooks }),
  };
}
