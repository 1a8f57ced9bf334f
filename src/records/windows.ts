import { sql } from "kysely";
import type { Database } from "../store/database.ts";
import { prepared } from "../store/pooled-client.ts";
import type { ApplyEvents, FollowedEvent } from "./follow-events.ts";
import { type Json, objectsIn, timeOf } from "./payload.ts";
import { TENANT_STANDS } from "./tenant-stands.ts";
import { formsOf, parseUser } from "./users.ts";

const WINDOW_MS = 24 * 3_600_000;

export type WindowState = "open" | "closed" | "unknown";

/**
 * Free-form messages may be sent until 24 hours after the user's last message or call (Meta:
 * customer service windows). It is known to be shut only if we would have heard of one since.
 */
export function windowState(facts: {
  lastInboundAt: Date | null;
  watchedSince: Date;
  now: Date;
}): WindowState {
  const { lastInboundAt, watchedSince, now } = facts;
  if (lastInboundAt !== null && now < closesAt(lastInboundAt)) {
    return "open";
  }
  return now.getTime() - watchedSince.getTime() >= WINDOW_MS ? "closed" : "unknown";
}

export function closesAt(lastInboundAt: Date): Date {
  return new Date(lastInboundAt.getTime() + WINDOW_MS);
}

/** What a number last heard of a user; `undefined` when the number is not the tenant's. */
export async function findWindow(
  db: Database,
  tenantId: string,
  options: { phoneNumberId: string; user: string },
): Promise<{ watchedSince: Date; lastInboundAt: Date | null } | undefined> {
  const { phoneNumberId, user } = options;
  const row = await db
    .selectFrom("phone_number as n")
    .leftJoin("customer_service_window as w", (join) =>
      join
        .onRef("w.tenant_id", "=", "n.tenant_id")
        .onRef("w.phone_number_id", "=", "n.phone_number_id")
        .on("w.user_id", "in", formsOf(user)),
    )
    .where("n.tenant_id", "=", tenantId)
    .where("n.phone_number_id", "=", phoneNumberId)
    .select(["n.watched_since", "w.last_inbound_at"])
    .orderBy("w.last_inbound_at", (order) => order.desc().nullsLast())
    .executeTakeFirst();
  return row && { watchedSince: row.watched_since, lastInboundAt: row.last_inbound_at };
}

/** The events that may do so, by type. */
export const OPENS_WINDOW = ["message.received", "call.connect"] as const;

type Inbound = { tenantId: string; phoneNumberId: string; user: string; at: Date };

/** Opens windows; a window is never put back by what comes late. */
export const applyWindows: ApplyEvents = async (trx, events) => {
  const newest = new Map<string, Inbound>();
  for (const inbound of events.flatMap(inboundsOf)) {
    const key = JSON.stringify([inbound.tenantId, inbound.phoneNumberId, inbound.user]);
    if (inbound.at > (newest.get(key)?.at ?? new Date(0))) {
      newest.set(key, inbound);
    }
  }
  if (newest.size === 0) {
    return;
  }
  const rows = [...newest.values()];
  await sql`
    ${prepared("apply_windows")}
    insert into customer_service_window (tenant_id, phone_number_id, user_id, last_inbound_at)
    select * from unnest(
      ${rows.map((row) => row.tenantId)}::text[], ${rows.map((row) => row.phoneNumberId)}::text[],
      ${rows.map((row) => row.user)}::text[], ${rows.map((row) => row.at)}::timestamptz[]
    ) as g (tenant_id, phone_number_id, user_id, last_inbound_at)
    where ${TENANT_STANDS}
    on conflict (tenant_id, phone_number_id, user_id)
      do update set last_inbound_at = excluded.last_inbound_at
      where customer_service_window.last_inbound_at < excluded.last_inbound_at`.execute(trx);
};

function inboundsOf(event: FollowedEvent): Inbound[] {
  const { type, tenantId, phoneNumberId, receivedAt, value } = event;
  if (phoneNumberId === null) {
    return [];
  }
  const items =
    type === "message.received"
      ? objectsIn(value, "messages").filter(isOfUser)
      : type === "call.connect"
        ? objectsIn(value, "calls").filter(isFromUser)
        : [];
  return items.flatMap((item) =>
    sendersOf(item, objectsIn(value, "contacts")).map((user) => ({
      tenantId,
      phoneNumberId,
      user,
      at: timeOf(item["timestamp"], receivedAt),
    })),
  );
}

/** What WhatsApp says about a user rather than what the user says. */
const NOT_OF_USER: ReadonlySet<unknown> = new Set(["system", "request_welcome"]);

/**
 * Anything that the user sends restarts the window, reactions too, and what the Cloud API cannot
 * show (`unsupported`) was sent all the same. What is said in a group opens no window of its own.
 */
function isOfUser(message: Json): boolean {
  return !NOT_OF_USER.has(message["type"]) && message["group_id"] === undefined;
}

function isFromUser(call: Json): boolean {
  return call["direction"] === "USER_INITIATED";
}

/** The phone number and the BSUID of who sent it, as far as they are told. */
function sendersOf(item: Json, contacts: readonly Json[]): string[] {
  const ids = [item["from"], item["from_user_id"]];
  const own = contacts.filter(
    (contact) => ids.includes(contact["wa_id"]) || ids.includes(contact["user_id"]),
  );
  const named = own.flatMap((contact) => [contact["wa_id"], contact["user_id"]]);
  const users = [...ids, ...named].map(parseUser).filter((user) => user !== undefined);
  return [...new Set(users)];
}
