/**
 * Meta's webhook envelope as 360dialog passes it on (cloud-api: webhooks, components), as far as a
 * gateway must look into it. Everything may be missing or of another type: what reads this checks.
 */
export type Envelope = { entry: Entry[] };
export type Entry = { id?: unknown; time?: unknown; changes: Change[] };
export type Change = { field?: unknown; value?: unknown };

type Json = Record<string, unknown>;

/** The envelope, or `undefined` for anything that is not one, however slightly. */
export function asEnvelope(parsed: unknown): Envelope | undefined {
  const entries = isObject(parsed) ? parsed["entry"] : undefined;
  const isEnvelope =
    Array.isArray(entries) &&
    entries.length > 0 &&
    entries.every(
      (entry: unknown) =>
        isObject(entry) &&
        Array.isArray(entry["changes"]) &&
        entry["changes"].length > 0 &&
        entry["changes"].every(isObject),
    );
  return isEnvelope ? (parsed as Envelope) : undefined;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Which arrays of a field's `value` hold things that are events of their own, and what each is.
 * `statuses` get their status as the last word of the type.
 */
export const LISTS_OF_FIELD: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map(
  Object.entries({
    messages: { messages: "message.received", statuses: "message.status", errors: "account.error" },
    smb_message_echoes: { message_echoes: "message.echo" },
    message_echoes: { message_echoes: "message.echo" },
    calls: { calls: "call", statuses: "call.status" },
    user_preferences: { user_preferences: "contact.preference_changed" },
    smb_app_state_sync: { state_sync: "contact.synced" },
    history: { history: "history.received" },
  }),
);

/** What a change is as a whole, by its field; a field that is not here is `unknown.<field>`. */
export const TYPE_OF_FIELD: ReadonlyMap<string, string> = new Map(
  Object.entries({
    account_alerts: "account.alert",
    account_review_update: "account.review_changed",
    account_settings_update: "account.settings_changed",
    account_update: "account.updated",
    business_capability_update: "account.capability_changed",
    business_status_update: "account.status_changed",
    calls: "call.updated",
    flows: "flow.updated",
    group_lifecycle_update: "group.lifecycle_changed",
    group_participants_update: "group.participants_changed",
    group_settings_update: "group.settings_changed",
    group_status_update: "group.status_changed",
    history: "history.received",
    message_template_components_update: "template.components_changed",
    message_template_quality_update: "template.quality_changed",
    message_template_status_update: "template.status_changed",
    phone_number_name_update: "number.name_changed",
    phone_number_quality_update: "number.quality_changed",
    security: "number.security_changed",
    smb_app_state_sync: "contact.synced",
    template_category_update: "template.category_changed",
    template_correct_category_detection: "template.category_detected",
    user_id_update: "contact.identity_changed",
    user_preferences: "contact.preference_changed",
  }),
);
