import { type Selectable, sql } from "kysely";
import { NotFound } from "../errors.ts";
import { SETTLED_XID } from "../events/read-events.ts";
import type { Database } from "../store/database.ts";
import type { MessageStatusTable, MessageTable } from "../store/schema/records.ts";
import { userKey } from "./user-key.ts";

export type StatusRow = Selectable<MessageStatusTable>;

/** A message without its bodies. */
export type MessageRow = Pick<Selectable<MessageTable>, (typeof COLUMNS)[number]>;
export type ListedMessageRow = MessageRow & { statuses: string[] | null };

export type StatusDelivery = { id: string; event_id: string; endpoint_id: string; state: string };

const COLUMNS = [
  "id",
  "xid",
  "seq",
  "phone_number_id",
  "client_id",
  "operation",
  "recipient",
  "type",
  "callback_data",
  "content_type",
  "state",
  "answer_status",
  "answer_content_type",
  "wamid",
  "created_at",
  "answered_at",
  "resolved_at",
] as const;

// The days before the send hold none of its statuses; one more, for clocks that differ.
const STATUS_OF_MESSAGE = sql`s.tenant_id = message.tenant_id and s.wamid = message.wamid
  and s.phone_number_id = message.phone_number_id
  and s.day >= (message.created_at at time zone 'utc')::date - 1`;

/** Messages in the readers' order; one keeps its place when more becomes known of it. */
export async function readMessages(
  db: Database,
  tenantId: string,
  options: {
    limit: number;
    after: string[] | undefined;
    phoneNumberId?: string | undefined;
    recipient?: string | undefined;
    state?: string | undefined;
    from?: Date | undefined;
    to?: Date | undefined;
    /** A token's limit to some numbers; `null` means all of the tenant. */
    among: readonly string[] | null;
  },
): Promise<ListedMessageRow[]> {
  const { after, phoneNumberId, recipient, state, from, to, among } = options;
  let query = db
    .selectFrom("message")
    .select(COLUMNS)
    .select(
      sql<string[] | null>`(
        select array_agg(s.status) from message_status s where ${STATUS_OF_MESSAGE})`.as(
        "statuses",
      ),
    )
    .where("tenant_id", "=", tenantId)
    .where(SETTLED_XID)
    .orderBy("xid")
    .orderBy("seq")
    .limit(options.limit + 1);
  if (after !== undefined) {
    query = query.where(sql<boolean>`(xid, seq) > (${after[0]}::xid8, ${after[1]}::bigint)`);
  }
  if (phoneNumberId !== undefined) {
    query = query.where("phone_number_id", "=", phoneNumberId);
  }
  if (recipient !== undefined) {
    query = query.where("recipient_key", "=", userKey(recipient));
  }
  if (state !== undefined) {
    query = query.where("state", "=", state as MessageRow["state"]);
  }
  if (from !== undefined) {
    query = query.where("created_at", ">=", from);
  }
  if (to !== undefined) {
    query = query.where("created_at", "<", to);
  }
  if (among !== null) {
    query = query.where("phone_number_id", "=", sql<string>`any (${[...among]}::text[])`);
  }
  return query.execute();
}

const OUR_ID = /^msg_[0-9a-z]{26}$/;

/** A message by our id or its wamid, and all that came of it. @throws {NotFound} */
export async function getMessage(
  db: Database,
  tenantId: string,
  options: { id: string; among: readonly string[] | null },
): Promise<{
  message: Selectable<MessageTable>;
  statuses: StatusRow[];
  deliveries: StatusDelivery[];
}> {
  const { id, among } = options;
  const message = await db
    .selectFrom("message")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where(OUR_ID.test(id) ? "id" : "wamid", "=", id)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
  if (message === undefined || among?.includes(message.phone_number_id) === false) {
    throw new NotFound();
  }
  const statuses = await readStatuses(db, tenantId, message);
  return { message, statuses, deliveries: await readStatusDeliveries(db, tenantId, statuses) };
}

/** Each status of each recipient once, in the order in which they happened. */
async function readStatuses(
  db: Database,
  tenantId: string,
  message: Pick<Selectable<MessageTable>, "id" | "created_at">,
): Promise<StatusRow[]> {
  const { rows } = await sql<StatusRow>`
    select * from (
      select distinct on (s.status, s.recipient) s.*
      from message join message_status s on ${STATUS_OF_MESSAGE}
      where message.tenant_id = ${tenantId} and message.id = ${message.id}
        and message.created_at = ${message.created_at}
      order by s.status, s.recipient, s.received_at
    ) once
    order by happened_at, received_at, event_id`.execute(db);
  return rows;
}

/** By the key of both tables of deliveries, which an event's id gives. */
async function readStatusDeliveries(
  db: Database,
  tenantId: string,
  statuses: readonly StatusRow[],
): Promise<StatusDelivery[]> {
  if (statuses.length === 0) {
    return [];
  }
  const times = statuses.map(({ received_at }) => received_at.getTime());
  const { rows } = await sql<StatusDelivery>`
    with told as (
      select xid, seq from event
      where tenant_id = ${tenantId} and id = any (${statuses.map(({ event_id }) => event_id)}::text[])
        and received_at between ${new Date(Math.min(...times) - 1)} and ${new Date(Math.max(...times) + 1)}
    )
    select id, event_id, endpoint_id, state from (
      select d.id, d.event_id, d.endpoint_id, d.state, d.event_xid, d.event_seq
      from told join delivery d on d.tenant_id = ${tenantId}
        and d.event_xid = told.xid and d.event_seq = told.seq
      union all
      select d.id, d.event_id, d.endpoint_id, d.state, d.event_xid, d.event_seq
      from told join delivery_finished d on d.tenant_id = ${tenantId}
        and d.event_xid = told.xid and d.event_seq = told.seq
    ) both_of_them
    order by event_xid, event_seq, endpoint_id`.execute(db);
  return rows;
}
