import { type RawBuilder, sql } from "kysely";
import { newId } from "../ids.ts";
import { numberArray, textArray } from "../store/array-literal.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { prepared } from "../store/pooled-client.ts";
import { copyForPartner } from "./partner-copy.ts";

/** One thing split from a notification. */
export type NewEvent = {
  tenantId: string;
  type: string;
  phoneNumberId: string | null;
  wabaId: string | null;
  /** SHA-256 of what the event is, never of how it was framed: the key of deduplication. */
  identity: Buffer;
  /** A digest of number and user where it concerns one: what an endpoint in order keeps in order. */
  conversation: Buffer | null;
  /** Meta's envelope with that one fragment. */
  body: Buffer;
};

export type NewNotification = {
  id: string;
  numberId: string | null;
  bodySha256: Buffer;
  bodyBytes: number;
  events: NewEvent[];
};

export type WrittenNotification = { newEventCount: number };

/** Writes notifications, what of their events has not been seen for seven days, and what is owed. */
export async function writeNotifications(
  db: Database,
  notifications: readonly NewNotification[],
): Promise<WrittenNotification[]> {
  const newEvents = await write(db, { notifications, rows: distinctEvents(notifications) });
  return notifications.map(({ id }) => ({ newEventCount: newEvents.get(id) ?? 0 }));
}

/** Of an event that no notification brought. */
const NO_NOTIFICATION = "";

/**
 * Writes an event that is the gateway's own, such as `endpoint.disabled`, and what is owed of it; also
 * the partner's copy, where it is told of such.
 * @param options.exceptEndpointId an endpoint that is not told, because it is the one that it is about
 */
export async function writeOwnEvent(
  db: Database | DatabaseTransaction,
  event: NewEvent,
  options: { exceptEndpointId?: string } = {},
): Promise<void> {
  const copy = copyForPartner(event);
  const rows = [event, ...(copy ? [copy] : [])].map((each) => ({
    notificationId: NO_NOTIFICATION,
    event: each,
  }));
  await write(db, { notifications: [], rows, ...options });
}

type EventToWrite = { notificationId: string; event: NewEvent };

/**
 * Events and a delivery for each matching endpoint: one statement, one commit. Identities go in
 * sorted, so that two processes with overlapping ones cannot deadlock; endpoints are joined inside,
 * so that one made a moment ago is not missed. A delivery's id tells by which event to find it
 * (`fanout/delivery-id.ts`). What was decided stays with the event (`owed`), so that
 * the ledger can miss what is lost. The new events of each notification are counted.
 */
async function write(
  db: Database | DatabaseTransaction,
  options: {
    notifications: readonly NewNotification[];
    rows: readonly EventToWrite[];
    exceptEndpointId?: string;
  },
): Promise<Map<string, number>> {
  const { notifications, rows, exceptEndpointId = "" } = options;
  const bodies = Buffer.concat(rows.map(({ event }) => event.body));
  let offset = 1;
  const offsets = rows.map(({ event }) => (offset += event.body.length) - event.body.length);

  const { rows: counts } = await sql<{ notification_id: string; new_events: string }>`
    ${prepared("write_notifications")}
    with noted as (
      insert into notification (id, number_id, body_sha256, body_bytes, event_count)
      select id, number_id, ${digestOf(digests(notifications.map((n) => n.bodySha256)))},
        body_bytes, event_count
      from unnest(
        ${textArray(notifications.map((n) => n.id))}::text[],
        ${textArray(notifications.map((n) => n.numberId))}::text[],
        ${numberArray(notifications.map((n) => n.bodyBytes))}::int[],
        ${numberArray(notifications.map((n) => n.events.length))}::int[]
      ) with ordinality as n (id, number_id, body_bytes, event_count, position)
    ), given as (
      select *, ${digestOf(digests(rows.map(({ event }) => event.identity)))} as identity,
        decode(conversation_in_hex, 'hex') as conversation
      from unnest(
        ${textArray(rows.map(() => newId("evt")))}::text[],
        ${textArray(rows.map(({ notificationId }) => notificationId))}::text[],
        ${textArray(rows.map(({ event }) => event.tenantId))}::text[],
        ${textArray(rows.map(({ event }) => event.type))}::text[],
        ${textArray(rows.map(({ event }) => event.phoneNumberId))}::text[],
        ${textArray(rows.map(({ event }) => event.wabaId))}::text[],
        ${textArray(rows.map(({ event }) => event.conversation?.toString("hex") ?? null))}::text[],
        ${numberArray(offsets)}::int[],
        ${numberArray(rows.map(({ event }) => event.body.length))}::int[]
      ) with ordinality as g (
        id, notification_id, tenant_id, type, phone_number_id, waba_id, conversation_in_hex,
        body_offset, body_length, position)
    ), unseen as (
      insert into event_identity (identity)
      select identity from given order by identity
      on conflict (identity) do update set seen_at = now()
      where event_identity.seen_at < now() - interval '7 days'
      returning identity
    ), added as (
      insert into event (
        tenant_id, id, type, phone_number_id, waba_id, identity, notification_id, body, owed)
      select tenant_id, id, type, phone_number_id, waba_id, identity, notification_id,
        substring(${bodies}::bytea from body_offset for body_length), matching.owed
      from given g join unseen using (identity), lateral (
        select coalesce(array_agg(w.serial), '{}') as owed from webhook_endpoint w
        where w.tenant_id = g.tenant_id and w.id <> ${exceptEndpointId}
          and (w.event_type_patterns is null or g.type like any (w.event_type_patterns))
          and (w.phone_number_ids is null or g.phone_number_id = any (w.phone_number_ids))
          and (w.waba_ids is null or g.waba_id = any (w.waba_ids))
      ) matching
      order by position
      returning tenant_id, id, xid, seq, identity, notification_id, received_at, owed
    ), found as materialized (
      select added.*, given.conversation from added join given using (id)
    ), owed as (
      insert into delivery (
        tenant_id, event_xid, event_seq, endpoint_id, id, event_id, event_received_at,
        state, next_attempt_at, conversation, stopped_ms_before)
      select e.tenant_id, e.xid, e.seq, w.id,
        'dlv_x' || left(encode(e.identity, 'hex'), 12)
          || left(encode(sha256(convert_to(w.id, 'UTF8') || e.identity), 'hex'), 13),
        e.id, e.received_at, 'pending', now(),
        case w.ordering when 'conversation' then e.conversation end, w.stopped_ms
          + coalesce((extract(epoch from now() - w.stopped_at) * 1000)::bigint, 0)
      from found e
      join webhook_endpoint w on w.tenant_id = e.tenant_id and w.serial = any (e.owed)
    )
    select notification_id, count(*) as new_events from added group by notification_id
  `.execute(db);

  return new Map(counts.map((row) => [row.notification_id, Number(row.new_events)]));
}

const SHA256_BYTES = 32;

/** Digests go in one after the other: as bytes they need no escaping, and no parsing there. */
function digests(each: readonly Buffer[]): Buffer {
  const all = Buffer.concat(each);
  if (all.length !== each.length * SHA256_BYTES) {
    throw new Error("a digest is not a SHA-256");
  }
  return all;
}

/** The one at the row's `position`. */
function digestOf(all: Buffer): RawBuilder<Buffer> {
  const from = sql`(position::int - 1) * ${sql.lit(SHA256_BYTES)} + 1`;
  return sql<Buffer>`substring(${all}::bytea from ${from} for ${sql.lit(SHA256_BYTES)})`;
}

/** Within one statement the first of two equal identities counts. */
function distinctEvents(notifications: readonly NewNotification[]): EventToWrite[] {
  const byIdentity = new Map<string, EventToWrite>();
  for (const { id: notificationId, events } of notifications) {
    for (const event of events) {
      const key = event.identity.toString("latin1");
      if (!byIdentity.has(key)) {
        byIdentity.set(key, { notificationId, event });
      }
    }
  }
  return [...byIdentity.values()];
}
