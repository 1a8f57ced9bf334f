import type { FollowedEvent } from "./follow-events.ts";
import { jsonText, storableText } from "./storable-text.ts";
import { userKey } from "./user-key.ts";

/** One status of one wamid at one recipient; `errors` and `pricing` are JSON as text. */
export type ParsedStatus = {
  tenant_id: string;
  phone_number_id: string;
  wamid: string;
  status: string;
  /** In a group the participant, else the user by phone or, without one, by business-scoped id. */
  recipient: string;
  recipient_key: string | null;
  user_key: string | null;
  callback_data: string | null;
  happened_at: Date;
  received_at: Date;
  event_id: string;
  errors: string | null;
  pricing: string | null;
};

const TYPE_PREFIX = "message.status.";

/** The status that an event tells, or `undefined` where it tells none of a message. */
export function parseStatus(event: FollowedEvent): ParsedStatus | undefined {
  if (!event.type.startsWith(TYPE_PREFIX) || event.phoneNumberId === null) {
    return undefined;
  }
  const { statuses } = (event.value ?? {}) as { statuses?: Record<string, unknown>[] };
  const item = statuses?.[0] ?? {};
  const wamid = storableText(item["id"]);
  if (wamid === null) {
    return undefined;
  }
  const recipient = storableText(item["recipient_id"]);
  const user = storableText(item["recipient_user_id"]);
  return {
    tenant_id: event.tenantId,
    phone_number_id: event.phoneNumberId,
    wamid,
    status: event.type.slice(TYPE_PREFIX.length),
    recipient: storableText(item["recipient_participant_id"]) ?? recipient ?? user ?? "",
    recipient_key: userKey(recipient),
    user_key: userKey(user),
    callback_data: storableText(item["biz_opaque_callback_data"]),
    happened_at: timeOf(item["timestamp"]) ?? event.receivedAt,
    received_at: event.receivedAt,
    event_id: event.id,
    errors: jsonText(item["errors"]),
    pricing: jsonText(item["pricing"]),
  };
}

const YEAR_2100_SECONDS = 4_102_444_800;

/** Unix seconds as text; anything else may be past what a database can hold. */
function timeOf(timestamp: unknown): Date | undefined {
  const seconds = Number(storableText(timestamp) ?? Number.NaN);
  return seconds > 0 && seconds < YEAR_2100_SECONDS ? new Date(seconds * 1000) : undefined;
}
