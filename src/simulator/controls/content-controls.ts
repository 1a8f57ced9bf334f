import { wabaEnvelope } from "../messages/envelope.ts";
import type { MediaStore, NewMedia } from "../messaging-api/media/media-store.ts";
import type { NewTemplate, Template, TemplateStatus } from "../messaging-api/templates/template.ts";
import type { TemplateStore } from "../messaging-api/templates/template-store.ts";
import type { PhoneNumbers } from "../numbers/phone-numbers.ts";
import type { Notification } from "../webhooks/notification.ts";
import type { WebhookSender } from "../webhooks/webhook-sender.ts";

/** What becomes of a template. */
export type TemplateChange = {
  name: string;
  /** Needed where the name exists in several languages. */
  language?: string;
  status: TemplateStatus;
  reason?: string;
};

/** Media and templates. */
export type ContentControls = {
  /** A file that a user sends: `receiveMessage` can name the id. */
  addMedia: (phoneNumberId: string, media: NewMedia) => string;
  /** A template of the number's WABA; approved unless said otherwise. */
  addTemplate: (phoneNumberId: string, template: NewTemplate) => Template;
  listTemplates: (phoneNumberId: string) => Template[];
  /** Changes a template of the number's WABA and tells the number's webhook. */
  setTemplateStatus: (phoneNumberId: string, change: TemplateChange) => Notification;
};

function statusUpdate(template: Template, now: Date) {
  return wabaEnvelope({
    wabaId: template.wabaId,
    field: "message_template_status_update",
    now,
    value: {
      event: template.status,
      message_template_id: Number(template.externalId),
      message_template_name: template.name,
      message_template_language: template.language,
      reason: template.rejectedReason,
      message_template_category: template.category,
    },
  });
}

/** Binds these controls to what the numbers have. */
export function createContentControls(parts: {
  phoneNumbers: PhoneNumbers;
  media: MediaStore;
  templates: TemplateStore;
  sender: WebhookSender;
}): ContentControls {
  const { phoneNumbers, media, templates, sender } = parts;
  const wabaOf = (phoneNumberId: string) => phoneNumbers.get(phoneNumberId).wabaId;
  return {
    addMedia: (phoneNumberId, file) =>
      media.add(phoneNumbers.get(phoneNumberId).phoneNumberId, file),
    addTemplate: (phoneNumberId, template) =>
      structuredClone(templates.add(wabaOf(phoneNumberId), template)),
    listTemplates: (phoneNumberId) =>
      templates.list(wabaOf(phoneNumberId)).map((template) => structuredClone(template)),
    setTemplateStatus(phoneNumberId, { name, language, status, reason = "NONE" }) {
      const wabaId = wabaOf(phoneNumberId);
      const template = templates.setStatus({ wabaId, name, language, status, reason });
      return sender.sendJson(phoneNumberId, statusUpdate(template, new Date()));
    },
  };
}
