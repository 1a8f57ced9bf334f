import { hash } from "node:crypto";
import type { UsageDirection } from "../../store/schema/usage.ts";
import { countryOf } from "../country-of.ts";
import type { FollowedEvent } from "../follow-events.ts";
import { type Json, objectOf, objectsIn, textOf, timeOf } from "../payload.ts";
import { parseUser } from "../users.ts";

/** What one event tells of the usage of one message. Days are `YYYY-MM-DD`, in UTC. */
export type UsageMark = {
  tenantId: string;
  /** Of the message: a digest in hex, by which nobody is known. */
  key: string;
  phoneNumberId: string;
  direction: UsageDirection;
  country: string;
  /** When it arrived; `null` while it is not known to have. */
  day: string | null;
  price: { category: string; billable: boolean; rank: number } | null;
};

/** Of several statuses that tell a price, the one of the delivery is what WhatsApp charges. */
const PRICE_RANKS: Readonly<Record<string, number>> = { sent: 1, read: 2, played: 2, delivered: 3 };
const ARRIVED = new Set(["delivered", "read", "played"]);
const STATUS_PREFIX = "message.status.";
const KEY_BYTES = 16;
/** ISO 3166 leaves it to its users; here, where a user is of no known country. */
export const NO_COUNTRY = "ZZ";

/** `undefined` for an event that says nothing of the usage of a number. */
export function usageMarkOf(event: FollowedEvent): UsageMark | undefined {
  const { type, phoneNumberId, value } = event;
  if (phoneNumberId === null) {
    return undefined;
  }
  const number = { tenantId: event.tenantId, phoneNumberId };
  if (type === "message.received") {
    const message = objectsIn(value, "messages")[0];
    return message && inboundMark(event, number, message);
  }
  const status = type.startsWith(STATUS_PREFIX) ? objectsIn(value, "statuses")[0] : undefined;
  return status && outboundMark(event, number, status);
}

type Numbered = Pick<UsageMark, "tenantId" | "phoneNumberId">;

/** WhatsApp charges nothing for what a user writes and gives it no category. */
function inboundMark(event: FollowedEvent, number: Numbered, message: Json): UsageMark | undefined {
  const id = textOf(message["id"]);
  if (id === undefined) {
    return undefined;
  }
  return {
    ...number,
    key: keyOf("inbound", number.phoneNumberId, id, null),
    direction: "inbound",
    country: countryAmong(message["from"], message["from_user_id"]),
    day: dayOf(timeOf(message["timestamp"], event.receivedAt)),
    price: { category: "none", billable: false, rank: 1 },
  };
}

function outboundMark(event: FollowedEvent, number: Numbered, status: Json): UsageMark | undefined {
  const wamid = textOf(status["id"]);
  if (wamid === undefined) {
    return undefined;
  }
  const name = event.type.slice(STATUS_PREFIX.length);
  const participant = textOf(status["recipient_participant_id"]) ?? null;
  const isGroup = status["recipient_type"] === "group";
  const recipient = participant ?? (isGroup ? undefined : status["recipient_id"]);
  return {
    ...number,
    key: keyOf("outbound", number.phoneNumberId, wamid, participant),
    direction: "outbound",
    country: countryAmong(
      recipient,
      status["recipient_participant_user_id"],
      status["recipient_user_id"],
    ),
    day: ARRIVED.has(name) ? dayOf(timeOf(status["timestamp"], event.receivedAt)) : null,
    price: priceOf(status, PRICE_RANKS[name]),
  };
}

function priceOf(status: Json, rank: number | undefined): UsageMark["price"] {
  if (rank === undefined || status["pricing"] === undefined) {
    return null;
  }
  const { billable, category, type } = objectOf(status["pricing"]);
  const origin = objectOf(objectOf(status["conversation"])["origin"])["type"];
  return {
    category: word(category) ?? word(origin) ?? "unknown",
    // Meta names `billable` as deprecated in favour of `type`.
    billable: typeof billable === "boolean" ? billable : type === "regular",
    rank,
  };
}

/** As Meta writes categories; anything else could be a text of somebody's, which a bill must not show. */
function word(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z][a-z_]{0,39}$/.test(value) ? value : undefined;
}

function countryAmong(...users: unknown[]): string {
  for (const each of users) {
    const user = parseUser(each);
    const country = user === undefined ? undefined : countryOf(user);
    if (country !== undefined) {
      return country;
    }
  }
  return NO_COUNTRY;
}

/** A participant of a group is charged for by itself. */
function keyOf(
  direction: UsageDirection,
  phoneNumberId: string,
  id: string,
  participant: string | null,
): string {
  const parts = JSON.stringify([direction, phoneNumberId, id, participant]);
  return hash("sha256", parts, "buffer").subarray(0, KEY_BYTES).toString("hex");
}

export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
