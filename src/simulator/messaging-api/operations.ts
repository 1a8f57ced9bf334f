import { OperationTable } from "../http/operation-table.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import type { Settings } from "../options.ts";
import type { DestinationBook } from "../webhooks/extra-destinations.ts";
import { callOperations } from "./calling/call-operations.ts";
import { collectionOperations } from "./collections/collection-operations.ts";
import { listPhoneNumbers } from "./collections/phone-number-list.ts";
import { blockListOperations } from "./contacts/block-list.ts";
import { qrCodeOperations } from "./contacts/qr-codes.ts";
import { groupOperations } from "./groups/group-operations.ts";
import type { GroupStore } from "./groups/group-store.ts";
import type { TellGroupUpdate } from "./groups/tell-group-update.ts";
import { healthOperations } from "./health/health-operations.ts";
import type { Limiter } from "./limits/limiter.ts";
import { mediaOperations } from "./media/media-operations.ts";
import type { MediaStore } from "./media/media-store.ts";
import { registerOperations } from "./number-settings/register.ts";
import { numberSettingOperations } from "./number-settings/setting-operations.ts";
import type { Operation } from "./operation.ts";
import type { AcceptMessage } from "./sending/accept-message.ts";
import { sendingOperations } from "./sending/sending-operations.ts";
import { messageTemplateOperations } from "./templates/message-templates.ts";
import { templateConfigOperations } from "./templates/template-configs.ts";
import { templateLibraryOperations } from "./templates/template-library.ts";
import type { TemplateStore } from "./templates/template-store.ts";
import { uploadOperations } from "./uploads/upload-operations.ts";
import { multiWebhookOperations } from "./webhooks/multi-webhook.ts";
import { numberWebhookOperations } from "./webhooks/number-webhook.ts";
import { setWabaWebhook } from "./webhooks/waba-webhook.ts";
import { checkWebhookUrl } from "./webhooks/webhook-url.ts";

/** Every call of the Messaging API, joined to what it works on. */
export function createOperations(parts: {
  settings: Settings;
  phoneNumbers: PhoneNumbers;
  media: MediaStore;
  templates: TemplateStore;
  groups: GroupStore;
  limiter: Limiter;
  extras: DestinationBook;
  acceptMessage: AcceptMessage;
  tellGroupUpdate: TellGroupUpdate;
}): OperationTable<Operation> {
  const { settings, phoneNumbers, media, templates, groups, extras } = parts;
  const checkUrl = (url: string) =>
    checkWebhookUrl(url, { allowLoopback: settings.allowLoopbackWebhooks });
  return new OperationTable([
    ...sendingOperations(parts),
    ...mediaOperations({
      media,
      urlLifetimeMs: settings.mediaUrlLifetimeMs,
      lookUpBlock: settings.mediaLookUpBlock,
    }),
    ...uploadOperations(),
    ...messageTemplateOperations(templates),
    ...templateConfigOperations(templates),
    ...templateLibraryOperations(),
    ...groupOperations({ groups, tell: parts.tellGroupUpdate }),
    ...callOperations(),
    ...numberSettingOperations(),
    ...registerOperations((phoneNumberId, region) => phoneNumbers.setRegion(phoneNumberId, region)),
    ...blockListOperations(),
    ...qrCodeOperations(),
    ...collectionOperations(),
    ["GET", "/phone_numbers", listPhoneNumbers(() => phoneNumbers.list())],
    ...healthOperations(),
    ...numberWebhookOperations({
      checkUrl,
      setWebhook: ({ phoneNumberId }, webhook) => phoneNumbers.setWebhook(phoneNumberId, webhook),
    }),
    [
      "POST",
      "/waba_webhook",
      setWabaWebhook({
        checkUrl,
        setWebhook: ({ wabaId }, webhook, options) =>
          phoneNumbers.setWabaWebhook(wabaId, webhook, options),
      }),
    ],
    ...multiWebhookOperations({ book: extras, checkUrl }),
  ]);
}
