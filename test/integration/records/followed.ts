import { newId } from "../../../src/ids.ts";
import type { ApplyEvents, FollowedEvent } from "../../../src/records/follow-events.ts";
import type { Database } from "../../../src/store/database.ts";

/** An event as the follower hands it on. */
export function followed(
  tenantId: string,
  type: string,
  value: unknown,
  fields: Partial<FollowedEvent> = {},
): FollowedEvent {
  return {
    tenantId,
    id: newId("evt"),
    type,
    phoneNumberId: PHONE_NUMBER_ID,
    wabaId: WABA_ID,
    receivedAt: new Date("2026-01-31T12:00:00.000Z"),
    value,
    ...fields,
  };
}

export const PHONE_NUMBER_ID = "106540352242922";
export const WABA_ID = "102290129340398";

export async function apply(
  db: Database,
  applyEvents: ApplyEvents,
  ...events: FollowedEvent[]
): Promise<void> {
  await db.transaction().execute((trx) => applyEvents(trx, events));
}

/** Whatever may stand where Meta's value should. */
export const ODD_VALUES: readonly unknown[] = [
  undefined,
  null,
  "text",
  7,
  [],
  {},
  { messages: null, calls: "x", statuses: [null], user_preferences: [7], contacts: {} },
  { messages: [{}, null, [], "x"], contacts: [null, "x"] },
  { messages: [{ from: { a: 1 }, timestamp: {} }], calls: [{ direction: "USER_INITIATED" }] },
  { messages: [{ from: "a\0b", timestamp: "x" }], statuses: [{ errors: [{ code: 131_050 }] }] },
  { user_preferences: [{ category: "marketing_messages", value: "stop" }] },
  { event: 7, message_template_name: ["x"], message_template_language: null },
  { event: "APPROVED", message_template_name: "a\0", message_template_language: "en" },
  { message_template_name: "a", message_template_language: "en" },
];
