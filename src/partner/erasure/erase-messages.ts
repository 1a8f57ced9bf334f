import { sql } from "kysely";
import { ERASED_BODY } from "../../events/erased-body.ts";
import type { Database } from "../../store/database.ts";
import type { ErasureScope } from "./erase-events.ts";
import type { Mentions } from "./mentions.ts";
import { retried } from "./retried.ts";

type Found = {
  xid: string;
  seq: string;
  is_recipient: boolean;
  hit: boolean;
  body: Buffer | null;
  answer_body: Buffer | null;
  callback_data: string | null;
};

const SLICE = 2000;

/**
 * Erases the users from a tenant's message log, slice by slice: what was sent to them keeps its id,
 * its times and its state; in what was sent to somebody else only their names go. The answers that
 * are kept for a repeat of such a send go too: from then on a repeat is told `outcome_unknown`.
 */
export async function eraseMessages(
  db: Database,
  scope: ErasureScope & { mentions: Mentions },
): Promise<number> {
  let count = 0;
  let after: [string, string] | undefined = ["0", "0"];
  while (after !== undefined) {
    const rows: Found[] = await readSlice(db, scope, after);
    const last = rows.at(-1);
    after = last && [last.xid, last.seq];
    const hits = rows.filter(
      (row) => row.hit && (row.is_recipient || isNamed(row, scope.mentions)),
    );
    if (hits.length > 0) {
      await retried(() => write(db, scope, hits));
      count += hits.length;
    }
  }
  return count;
}

async function readSlice(
  db: Database,
  { tenantId, among, until, mentions }: ErasureScope & { mentions: Mentions },
  [xid, seq]: [string, string],
): Promise<Found[]> {
  const { needles } = mentions;
  const bytes = needles.map((needle) => Buffer.from(needle));
  const { rows } = await sql<Found>`
    with slice as materialized (
      select id, xid, seq, created_at, phone_number_id, recipient, recipient_key, body, answer_body,
        callback_data
      from message
      where tenant_id = ${tenantId} and (xid, seq) > (${xid}::xid8, ${seq}::bigint)
      order by xid, seq limit ${SLICE}
    ), judged as (
      select *, coalesce(recipient_key = any (${needles}::text[]), false) as is_recipient,
        lead(seq) over (order by xid, seq) is null as is_last,
        created_at <= ${until}
        and (${among}::text[] is null or phone_number_id = any (${among}::text[]))
        and (recipient_key = any (${needles}::text[]) or exists (
          select from unnest(${bytes}::bytea[], ${needles}::text[]) n (bytes, text)
          where position(n.bytes in body) > 0 or position(n.bytes in answer_body) > 0
            or position(n.text in callback_data) > 0)) as hit
      from slice
    )
    select xid, seq, is_recipient, coalesce(hit, false) as hit,
      case when hit then body end as body, case when hit then answer_body end as answer_body,
      case when hit then callback_data end as callback_data
    from judged where hit or is_last order by xid, seq`.execute(db);
  return rows;
}

function isNamed({ body, answer_body, callback_data }: Found, mentions: Mentions): boolean {
  const texts = [body?.toString("latin1"), answer_body?.toString("latin1"), callback_data];
  return texts.some((text) => mentions.isIn(text ?? ""));
}

async function write(
  db: Database,
  { tenantId, mentions }: ErasureScope & { mentions: Mentions },
  hits: readonly Found[],
): Promise<void> {
  const blank = (bytes: Buffer | null, isRecipient: boolean): Buffer | null => {
    if (bytes === null || isRecipient) {
      return bytes && ERASED_BODY;
    }
    return Buffer.from(mentions.redact(bytes.toString("latin1")), "latin1");
  };
  await sql`
    with changed as (
      update message m set body = g.body, answer_body = g.answer_body,
        callback_data = g.callback_data,
        recipient = case when g.is_recipient then null else m.recipient end,
        recipient_key = case when g.is_recipient then null else m.recipient_key end,
        content_type = case when g.is_recipient then 'application/json' else m.content_type end,
        answer_content_type = case when g.is_recipient and g.answer_body is not null
          then 'application/json' else m.answer_content_type end,
        -- WhatsApp's id of a message holds the phone number, in base64.
        wamid = case when g.is_recipient then null else m.wamid end
      from unnest(
        ${hits.map(({ xid }) => xid)}::xid8[], ${hits.map(({ seq }) => seq)}::bigint[],
        ${hits.map((hit) => hit.is_recipient)}::boolean[],
        ${hits.map((hit) => blank(hit.body, hit.is_recipient))}::bytea[],
        ${hits.map((hit) => blank(hit.answer_body, hit.is_recipient))}::bytea[],
        ${hits.map((hit) =>
          hit.is_recipient ? null : hit.callback_data && mentions.redact(hit.callback_data),
        )}::text[]
      ) as g (xid, seq, is_recipient, body, answer_body, callback_data)
      where m.tenant_id = ${tenantId} and m.xid = g.xid and m.seq = g.seq
      returning m.id
    )
    update idempotency_key k set state = 'unknown', answer_sealed = null
    where k.tenant_id = ${tenantId} and k.message_id in (select id from changed)
      and k.state = 'answered'`.execute(db);
}
