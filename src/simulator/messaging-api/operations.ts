import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import type { Settings } from "../options.ts";
import { getHealthStatus } from "./get-health-status.ts";
import { mediaOperations } from "./media/media-operations.ts";
import type { MediaStore } from "./media/media-store.ts";
import { OperationTable } from "./operation-table.ts";
import type { AcceptMessage } from "./sending/accept-message.ts";
import { checkMedia } from "./sending/check-media.ts";
import { checkTemplate } from "./sending/check-template.ts";
import { postMessages } from "./sending/post-messages.ts";
import { messageTemplateOperations } from "./templates/message-templates.ts";
import { templateConfigOperations } from "./templates/template-configs.ts";
import { templateLibraryOperations } from "./templates/template-library.ts";
import type { TemplateStore } from "./templates/template-store.ts";
import { uploadOperations } from "./uploads/upload-operations.ts";
import { numberWebhookOperations } from "./webhooks/number-webhook.ts";
import { checkWebhookUrl } from "./webhooks/webhook-url.ts";

/** Every call of the Messaging API, joined to what it works on. */
export function createOperations(parts: {
  settings: Settings;
  phoneNumbers: PhoneNumbers;
  media: MediaStore;
  templates: TemplateStore;
  acceptMessage: AcceptMessage;
}): OperationTable {
  const { settings, phoneNumbers, media, templates, acceptMessage } = parts;
  const checks = [checkMedia(media), checkTemplate(templates)];
  const checkUrl = (url: string) =>
    checkWebhookUrl(url, { allowLoopback: settings.allowLoopbackWebhooks });
  return new OperationTable([
    ["POST", "/messages", postMessages({ checks, acceptMessage })],
    ["GET", "/health_status", getHealthStatus],
    ...mediaOperations({
      media,
      urlLifetimeMs: settings.mediaUrlLifetimeMs,
      lookUpBlock: settings.mediaLookUpBlock,
    }),
    ...uploadOperations(),
    ...messageTemplateOperations(templates),
    ...templateConfigOperations(templates),
    ...templateLibraryOperations(),
    ...numberWebhookOperations({
      checkUrl,
      setWebhook: ({ phoneNumberId }, webhook) => phoneNumbers.setWebhook(phoneNumberId, webhook),
    }),
  ]);
}
