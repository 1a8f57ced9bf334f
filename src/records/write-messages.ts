import { sql } from "kysely";
import { numberArray } from "../store/array-literal.ts";
import type { Database } from "../store/database.ts";
import type { MessageState } from "../store/schema/records.ts";
import type { LoggedSend, WrittenOutcome } from "./message-log.ts";
import { storableText } from "./storable-text.ts";
import { userKey } from "./user-key.ts";

/** A send as far as it is known; without an outcome it is under way. */
export type KnownSend = { send: LoggedSend; outcome: WrittenOutcome | undefined };

/** Sends as they are written, one behind the other: of each its values in JSON and its two bodies. */
export type PackedSends = { bytes: Buffer; lengths: number[]; jsonLengths: number[] };

/**
 * Packs sends into bytes, outside of what the garbage collector copies: thousands may wait for a
 * busy database. Many together: in the middle of calls, each as it ends, reading an answer took twice
 * as long.
 */
export function packSends(sends: readonly KnownSend[]): PackedSends {
  const parts: Buffer[] = [];
  const lengths: number[] = [];
  const jsonLengths: number[] = [];
  for (const { send, outcome } of sends) {
    const json = Buffer.from(JSON.stringify(valuesOf(send, outcome)));
    const answer = outcome?.kind === "answered" ? outcome.body : NO_BYTES;
    parts.push(json, send.body, answer);
    lengths.push(json.length + send.body.length + answer.length);
    jsonLengths.push(json.length);
  }
  return { bytes: Buffer.concat(parts), lengths, jsonLengths };
}

/** Each by itself. */
export function splitSends({ bytes, lengths, jsonLengths }: PackedSends): PackedSends[] {
  let end = 0;
  return lengths.map((length, index) => {
    end += length;
    const jsonLength = jsonLengths[index] ?? 0;
    const own = bytes.subarray(end - length, end);
    return { bytes: own, lengths: [length], jsonLengths: [jsonLength] };
  });
}

const NO_BYTES = Buffer.alloc(0);

function valuesOf(send: LoggedSend, outcome: WrittenOutcome | undefined): unknown[] {
  const answer = outcome?.kind === "answered" ? outcome : undefined;
  const recipient = storableText(send.recipient);
  return [
    send.tenantId,
    send.id,
    send.phoneNumberId,
    send.clientId,
    send.operation,
    recipient,
    userKey(recipient),
    storableText(send.type),
    storableText(send.callbackData),
    storableText(send.contentType),
    send.body.length,
    stateOf(outcome),
    answer && isAccepted(answer.status) ? wamidOf(answer.body) : null,
    answer?.status,
    storableText(answer?.contentType),
    answer?.body.length,
    send.sentAtMs,
    answer?.answeredAtMs,
  ];
}

/**
 * Writes sends, each but once, and what came of those that are there already. A row keeps its place;
 * what we know from the answer itself wins over what was made of it meanwhile.
 * The sends of a tenant that is gone are not written.
 */
export async function writeMessages(db: Database, sends: PackedSends): Promise<void> {
  const { bytes, lengths, jsonLengths } = sends;
  let end = 1;
  const starts = lengths.map((length) => (end += length) - length);
  await sql`
    insert into message (
      tenant_id, id, phone_number_id, client_id, operation, recipient, recipient_key, type,
      callback_data, content_type, body, state, wamid, answer_status, answer_content_type,
      answer_body, created_at, answered_at)
    select g.tenant_id, g.id, g.phone_number_id, g.client_id, g.operation, g.recipient,
      g.recipient_key, g.type, g.callback_data, g.content_type,
      substring(all_bytes from g.start for g.body_length), g.state, g.wamid, g.answer_status,
      g.answer_content_type,
      substring(all_bytes from g.start + g.body_length for g.answer_length),
      timestamptz 'epoch' + g.created_ms * interval '1 ms',
      timestamptz 'epoch' + g.answered_ms * interval '1 ms'
    from (
      select all_bytes, json_start + json_length as start, v->>0 as tenant_id, v->>1 as id,
        v->>2 as phone_number_id, v->>3 as client_id, v->>4 as operation, v->>5 as recipient,
        v->>6 as recipient_key, v->>7 as type, v->>8 as callback_data, v->>9 as content_type,
        (v->>10)::int as body_length, v->>11 as state, v->>12 as wamid,
        (v->>13)::int as answer_status, v->>14 as answer_content_type,
        (v->>15)::int as answer_length, (v->>16)::bigint as created_ms,
        (v->>17)::bigint as answered_ms
      from (select ${bytes}::bytea as all_bytes) as a
      cross join unnest(
        ${numberArray(starts)}::int[], ${numberArray(jsonLengths)}::int[]
      ) as r (json_start, json_length)
      cross join lateral (
        select convert_from(substring(all_bytes from json_start for json_length), 'UTF8')::jsonb
        offset 0
      ) as j (v)
    ) as g
    join tenant t on t.id = g.tenant_id
    on conflict (tenant_id, id, created_at) do update set
      state = excluded.state, wamid = excluded.wamid, answer_status = excluded.answer_status,
      answer_content_type = excluded.answer_content_type, answer_body = excluded.answer_body,
      answered_at = excluded.answered_at, resolved_at = null
    where excluded.answer_status is not null or message.state = 'sending'`.execute(db);
}

/** Sends that were never made after all. */
export async function forgetMessages(
  db: Database,
  sends: readonly Pick<LoggedSend, "tenantId" | "id" | "sentAtMs">[],
): Promise<void> {
  await sql`
    delete from message m using unnest(
      ${sends.map(({ tenantId }) => tenantId)}::text[], ${sends.map(({ id }) => id)}::text[],
      ${sends.map(({ sentAtMs }) => new Date(sentAtMs))}::timestamptz[]) as g (tenant_id, id, created_at)
    where m.tenant_id = g.tenant_id and m.id = g.id and m.created_at = g.created_at`.execute(db);
}

function stateOf(outcome: WrittenOutcome | undefined): MessageState {
  switch (outcome?.kind) {
    case undefined:
      return "sending";
    case "unknown":
      return "unknown";
    case "answered":
      return isAccepted(outcome.status) ? "accepted" : "refused";
    default:
      return outcome satisfies never;
  }
}

function isAccepted(status: number): boolean {
  return status >= 200 && status < 300;
}

/** 360dialog's answer to a message as it usually is: read so, it costs a seventh of parsing it. */
const USUAL_ANSWER =
  /^\{"messaging_product":"whatsapp","contacts":\[\{"input":"[^"\\]*","wa_id":"[^"\\]*"\}\],"messages":\[\{"id":"([\w.+/=-]+)"/;

/** The id of the message or call that an answer tells. */
export function wamidOf(answer: Buffer): string | null {
  const text = answer.toString("utf8");
  const usual = USUAL_ANSWER.exec(text)?.[1];
  if (usual !== undefined) {
    return usual;
  }
  try {
    const { messages, calls } = JSON.parse(text) as Record<
      "messages" | "calls",
      { id?: unknown }[] | undefined
    >;
    return storableText(messages?.[0]?.id ?? calls?.[0]?.id);
  } catch {
    return null;
  }
}
