import { wabaEnvelope } from "../messages/envelope.ts";
import type { GroupStore } from "../messaging-api/groups/group-store.ts";
import { createTellGroupUpdate } from "../messaging-api/groups/tell-group-update.ts";
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

/** Media, templates and groups. */
export type ContentControls = {
  /** A file that a user sends: `receiveMessage` can name the id. */
  addMedia: (phoneNumberId: string, media: NewMedia) => string;
  /** A template of the number's WABA; approved unless said otherwise. */
  addTemplate: (phoneNumberId: string, template: NewTemplate) => Template;
  listTemplates: (phoneNumberId: string) => Template[];
  /** Changes a template of the number's WABA and tells the number's webhook. */
  setTemplateStatus: (phoneNumberId: string, change: TemplateChange) => Notification;
  /** A user asks to be let into a group; the number's webhook is told. Gives the request's id. */
  requestToJoin: (phoneNumberId: string, groupId: string, user: string) => string;
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
  groups: GroupStore;
  sender: WebhookSender;
}): ContentControls {
  const { phoneNumbers, media, templates, groups, sender } = parts;
  const tellGroupUpdate = createTellGroupUpdate(sender);
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
    requestToJoin(phoneNumberId, groupId, user) {
      const { join_request_id } = groups.requestToJoin(phoneNumberId, groupId, user);
      const update = { type: "group_join_request_created", group_id: groupId, join_request_id };
      tellGroupUpdate(phoneNumbers.get(phoneNumberId), "group_participants_update", {
        ...update,
        wa_id: user,
      });
      return join_request_id;
    },
  };
}
