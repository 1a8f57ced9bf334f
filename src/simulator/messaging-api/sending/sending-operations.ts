import type { Limiter } from "../limits/limiter.ts";
import type { MediaStore } from "../media/media-store.ts";
import type { OperationRow } from "../operation.ts";
import type { TemplateStore } from "../templates/template-store.ts";
import type { AcceptMessage } from "./accept-message.ts";
import { checkLimits } from "./check-limits.ts";
import { checkMedia } from "./check-media.ts";
import { checkTemplate } from "./check-template.ts";
import { postEncryptedMessages } from "./post-encrypted-messages.ts";
import { postMarketingMessages } from "./post-marketing-messages.ts";
import { postMessages } from "./post-messages.ts";

/** Everything that sends. */
export function sendingOperations(parts: {
  limiter: Limiter;
  media: MediaStore;
  templates: TemplateStore;
  acceptMessage: AcceptMessage;
}): OperationRow[] {
  const { limiter, media, templates, acceptMessage } = parts;
  const checks = [checkLimits(limiter), checkMedia(media), checkTemplate(templates)];
  return [
    ["POST", "/messages", postMessages({ checks, acceptMessage })],
    ["POST", "/marketing_messages", postMarketingMessages({ templates, checks, acceptMessage })],
    ["POST", "/messages_encrypted", postEncryptedMessages({ checks, acceptMessage })],
  ];
}
