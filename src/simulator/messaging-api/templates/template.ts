import { digitsFrom, newDialog360Id, randomDigits } from "../../ids.ts";
import type { JsonObject } from "../../json.ts";

export const TEMPLATE_CATEGORIES = ["AUTHENTICATION", "MARKETING", "UTILITY"] as const;

/** What a template may be. */
export const TEMPLATE_STATUSES = [
  "APPROVED",
  "PENDING",
  "REJECTED",
  "PAUSED",
  "DISABLED",
  "IN_APPEAL",
  "FLAGGED",
  "PENDING_DELETION",
] as const;

export type TemplateCategory = (typeof TEMPLATE_CATEGORIES)[number];
export type TemplateStatus = (typeof TEMPLATE_STATUSES)[number];

/** One template in one language. */
export type Template = {
  /** 360dialog's id. */
  id: string;
  /** Meta's id. */
  externalId: string;
  wabaId: string;
  name: string;
  language: string;
  category: TemplateCategory;
  status: TemplateStatus;
  rejectedReason: string;
  components: JsonObject[];
  createdAt: Date;
  modifiedAt: Date;
};

/** What may be chosen about a new template. */
export type NewTemplate = {
  name: string;
  language?: string;
  category?: TemplateCategory;
  status?: TemplateStatus;
  components?: JsonObject[];
};

/** A template with what was chosen, approved unless said otherwise. */
export function newTemplate(wabaId: string, chosen: NewTemplate): Template {
  const now = new Date();
  return {
    id: newDialog360Id("WT"),
    externalId: randomDigits(16),
    wabaId,
    name: chosen.name,
    language: chosen.language ?? "en_US",
    category: chosen.category ?? "MARKETING",
    status: chosen.status ?? "APPROVED",
    rejectedReason: "NONE",
    components: chosen.components ?? [{ type: "BODY", text: "Hello" }],
    createdAt: now,
    modifiedAt: now,
  };
}

/** The namespace of a WABA, which on-premise sends had to name. */
export function namespaceOf(wabaId: string): string {
  const digits = digitsFrom(`namespace of ${wabaId}`, 32);
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1_$2_$3_$4_$5");
}
