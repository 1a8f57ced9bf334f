import { sql } from "kysely";
import { ERASED_BODY } from "../../events/erased-body.ts";
import type { EventCursor } from "../../events/read-events.ts";
import { MOVED_COLUMNS } from "../../fanout/endpoint-state.ts";
import { mediaIdsOf } from "../../records/parse-media-ids.ts";
import { parseStatus } from "../../records/parse-status.ts";
import type { FollowedEvent } from "../../records/follow-events.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import { type Mentions, subjectsOf } from "./mentions.ts";
import { retried } from "./retried.ts";

/** Whose data is erased, and up to when. */
export type ErasureScope = {
  tenantId: string;
  /** `null` means all of the tenant's numbers. */
  among: readonly string[] | null;
  /** What is newer came after the erasure was asked for, and is not meant by it. */
  until: Date;
};

export type ErasedEvents = {
  events: number;
  deliveries: number;
  statuses: number;
  media_ids: number;
};

type Found = {
  id: string;
  xid: string;
  seq: string;
  type: string;
  phone_number_id: string | null;
  received_at: Date;
  /** Null of the last one of a slice where it holds nothing. */
  body: Buffer | null;
};

const SLICE = 2000;

/**
 * Erases the users from a tenant's events, slice by slice in the readers' order, a short transaction
 * each. An event about them loses its body, and what still waits to be delivered of it is cancelled;
 * where somebody else names them, the name goes. Ids that turn out to be of the same user are added to
 * `users`. What was erased before is passed over.
 * @returns what was erased, and whether `users` has grown
 */
export async function eraseEvents(
  db: Database,
  scope: ErasureScope & { users: Set<string>; mentions: Mentions },
): Promise<{ erased: ErasedEvents; learnt: boolean }> {
  const { users } = scope;
  const erased: ErasedEvents = { events: 0, deliveries: 0, statuses: 0, media_ids: 0 };
  const knownBefore = users.size;
  let after: EventCursor | undefined = ["0", "0"];
  while (after !== undefined) {
    const rows: Found[] = await readSlice(db, scope, after);
    const last = rows.at(-1);
    after = last && [last.xid, last.seq];
    const hits = rows.flatMap((row) => judge(row, scope));
    if (hits.length > 0) {
      const some = await retried(() => db.transaction().execute((trx) => write(trx, scope, hits)));
      for (const name of Object.keys(erased) as (keyof ErasedEvents)[]) {
        erased[name] += some[name];
      }
    }
  }
  return { erased, learnt: users.size > knownBefore };
}

async function readSlice(
  db: Database,
  { tenantId, among, until, mentions }: ErasureScope & { mentions: Mentions },
  [xid, seq]: EventCursor,
): Promise<Found[]> {
  const needles = mentions.needles.map((needle) => Buffer.from(needle));
  const { rows } = await sql<Found>`
    with slice as materialized (
      select id, xid, seq, type, phone_number_id, received_at, body from event
      where tenant_id = ${tenantId} and (xid, seq) > (${xid}::xid8, ${seq}::bigint)
      order by xid, seq limit ${SLICE}
    ), judged as (
      select *, received_at <= ${until}
        and (${among}::text[] is null or phone_number_id = any (${among}::text[]))
        and exists (select from unnest(${needles}::bytea[]) n where position(n in body) > 0) as hit,
        lead(seq) over (order by xid, seq) is null as is_last
      from slice
    )
    select id, xid, seq, type, phone_number_id, received_at, case when hit then body end as body
    from judged where hit or is_last order by xid, seq`.execute(db);
  return rows;
}

type Hit = Found & { isSubject: boolean; newBody: Buffer; event: FollowedEvent };

function judge(
  row: Found,
  { tenantId, users, mentions }: ErasureScope & { users: Set<string>; mentions: Mentions },
): Hit[] {
  // Bytes as they are, so that nothing else of the body changes.
  const text = row.body?.toString("latin1") ?? "";
  if (!mentions.isIn(text)) {
    return [];
  }
  const { value, isJson } = valueIn(row.body ?? Buffer.alloc(0));
  const own = subjectsOf(value).filter((ids) => ids.some((id) => mentions.needles.includes(id)));
  own.flat().forEach((id) => users.add(id));
  const isSubject = own.length > 0 || !isJson;
  const newBody = isSubject ? ERASED_BODY : Buffer.from(mentions.redact(text), "latin1");
  const event = {
    tenantId,
    id: row.id,
    type: row.type,
    phoneNumberId: row.phone_number_id,
    wabaId: null,
    receivedAt: row.received_at,
    value,
  };
  return [{ ...row, isSubject, newBody, event }];
}

function valueIn(body: Buffer): { value: unknown; isJson: boolean } {
  try {
    const parsed = JSON.parse(body.toString("utf8")) as {
      entry?: { changes?: { value?: unknown }[] }[];
    } | null;
    return { value: parsed?.entry?.[0]?.changes?.[0]?.value ?? parsed, isJson: true };
  } catch {
    return { value: undefined, isJson: false };
  }
}

async function write(
  trx: DatabaseTransaction,
  { tenantId }: ErasureScope,
  hits: readonly Hit[],
): Promise<ErasedEvents> {
  const subjects = hits.filter(({ isSubject }) => isSubject);
  const placesOf = (of: readonly Hit[]) => sql`unnest(
    ${of.map(({ xid }) => xid)}::xid8[], ${of.map(({ seq }) => seq)}::bigint[]) as g (xid, seq)`;
  await sql`
    update event e set body = g.body
    from unnest(${hits.map(({ xid }) => xid)}::xid8[], ${hits.map(({ seq }) => seq)}::bigint[],
      ${hits.map(({ newBody }) => newBody)}::bytea[]) as g (xid, seq, body)
    where e.tenant_id = ${tenantId} and e.xid = g.xid and e.seq = g.seq`.execute(trx);
  // Also one that is being attempted: its end then finds nothing, and there is no next try.
  const cancelled = await sql`
    with gone as (
      delete from delivery d using webhook_endpoint w, ${placesOf(subjects)}
      where w.tenant_id = ${tenantId} and d.tenant_id = w.tenant_id and d.endpoint_id = w.id
        and d.event_xid = g.xid and d.event_seq = g.seq
      returning d.*
    )
    insert into delivery_finished (${MOVED_COLUMNS}, state)
    select ${MOVED_COLUMNS}, 'cancelled' from gone`.execute(trx);
  // The digest of a phone number can be guessed; and endpoints repeat what they are sent.
  await sql`
    update delivery_finished f set conversation = null from ${placesOf(hits)}
    where f.tenant_id = ${tenantId} and f.state in ('delivered', 'exhausted', 'cancelled')
      and f.event_xid = g.xid and f.event_seq = g.seq and f.conversation is not null`.execute(trx);
  await sql`
    update attempt a set answer = null where a.tenant_id = ${tenantId} and a.answer is not null
      and a.delivery_id in (
        select f.id from delivery_finished f, ${placesOf(hits)}
        where f.tenant_id = ${tenantId} and f.state in ('delivered', 'exhausted', 'cancelled')
          and f.event_xid = g.xid and f.event_seq = g.seq
        union all
        select d.id from delivery d, webhook_endpoint w, ${placesOf(hits)}
        where w.tenant_id = ${tenantId} and d.tenant_id = w.tenant_id and d.endpoint_id = w.id
          and d.event_xid = g.xid and d.event_seq = g.seq)`.execute(trx);
  const statuses = subjects
    .map(({ event }) => parseStatus(event))
    .filter((each) => each !== undefined);
  const goneStatuses = await sql`
    delete from message_status s using unnest(
      ${statuses.map(({ wamid }) => wamid)}::text[], ${statuses.map(({ status }) => status)}::text[],
      ${statuses.map(({ recipient }) => recipient)}::text[]) as g (wamid, status, recipient)
    where s.tenant_id = ${tenantId} and s.wamid = g.wamid and s.status = g.status
      and s.recipient = g.recipient`.execute(trx);
  const mediaIds = subjects.flatMap(({ event }) => mediaIdsOf(event).map((seen) => seen.mediaId));
  const goneMedia = await sql`
    delete from media_id where tenant_id = ${tenantId}
      and media_id = any (${mediaIds}::text[])`.execute(trx);
  return {
    events: hits.length,
    deliveries: Number(cancelled.numAffectedRows ?? 0),
    statuses: Number(goneStatuses.numAffectedRows ?? 0),
    media_ids: Number(goneMedia.numAffectedRows ?? 0),
  };
}
