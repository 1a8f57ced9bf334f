import type { PartnerEvent } from "./partner-event.ts";

/** Our types for what 360dialog names otherwise. */
const TYPES = new Map([
  ["account_restriction", "account.restricted"],
  ["account_violation", "account.violation"],
  ["waba_template_status_changed", "template.status_changed"],
  ["template_messaging_enabled", "account.template_messaging_enabled"],
  ["template_messaging_disabled", "account.template_messaging_disabled"],
]);

const ONBOARDING = /^(?:client|channel|cancellation)_[a-z_]{1,60}$/;
const QUALITY = /^[a-z_]{0,40}quality[a-z_]{0,40}$/;
const LIMIT = /^[a-z_]{0,40}limit[a-z_]{0,40}$/;
const WORD = /^[a-z][a-z0-9_]{0,60}$/;

/** The type under which a tenant gets a partner event; what is not known stays `unknown.…`. */
export function typeOf(event: string): string {
  const type = TYPES.get(event);
  if (type !== undefined) {
    return type;
  }
  // 360dialog's pages show these as pictures only: the exact words are not known.
  if (QUALITY.test(event)) {
    return "number.quality_changed";
  }
  if (LIMIT.test(event)) {
    return "number.limit_changed";
  }
  if (ONBOARDING.test(event)) {
    return `onboarding.${event}`;
  }
  return WORD.test(event) ? `unknown.partner_${event}` : "unknown.partner_event";
}

/**
 * What the event says, as 360dialog wrote it. A template's also in the words of Meta's notification
 * of the same thing, so that whoever reads one reads the other.
 */
export function valueOf({ event, data }: PartnerEvent): Record<string, unknown> {
  if (typeOf(event) !== "template.status_changed") {
    return { partner_event: event, ...data };
  }
  const template = isObject(data["template"]) ? data["template"] : data;
  const status = template["status"];
  return {
    partner_event: event,
    ...data,
    event: typeof status === "string" ? status.toUpperCase() : status,
    message_template_id: template["external_id"] ?? template["id"],
    message_template_name: template["name"],
    message_template_language: template["language"],
    reason: template["rejected_reason"] ?? null,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
