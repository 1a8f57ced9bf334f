import { type RawBuilder, sql } from "kysely";
import type { Database } from "../store/database.ts";
import type { MessageState } from "../store/schema/records.ts";
import type { LoggedSend, SendOutcome } from "./message-log.ts";
import { storableText } from "./storable-text.ts";
import { userKey } from "./user-key.ts";

/** A send as far as it is known; without an outcome it is under way. */
export type SendToWrite = { send: LoggedSend; outcome: SendOutcome | undefined };

/**
 * Writes sends, and what came of those that are there already. A row keeps its place; what we know
 * from the answer itself wins over what was made of it meanwhile.
 * The sends of a tenant that is gone are not written.
 */
export async function writeMessages(db: Database, sends: readonly SendToWrite[]): Promise<void> {
  const { column, bytes } = columnsOf(sends);
  await sql`
    insert into message (
      tenant_id, id, phone_number_id, client_id, operation, recipient, recipient_key, type,
      callback_data, content_type, body, state, wamid, answer_status, answer_content_type,
      answer_body, created_at, answered_at)
    select g.tenant_id, g.id, g.phone_number_id, g.client_id, g.operation, g.recipient,
      g.recipient_key, g.type, g.callback_data, g.content_type,
      substring(b.bytes from body_start::int for body_length::int), g.state, g.wamid,
      g.answer_status::int, g.answer_content_type,
      substring(b.bytes from answer_start::int for answer_length::int),
      timestamptz 'epoch' + created_ms::bigint * interval '1 ms',
      timestamptz 'epoch' + answered_ms::bigint * interval '1 ms'
    from rows from (
      ${column("tenantId")}, ${column("id")}, ${column("phoneNumberId")}, ${column("clientId")},
      ${column("operation")}, ${column("recipient")}, ${column("recipientKey")}, ${column("type")},
      ${column("callbackData")}, ${column("contentType")}, ${column("bodyStart")},
      ${column("bodyLength")}, ${column("state")}, ${column("wamid")}, ${column("answerStatus")},
      ${column("answerContentType")}, ${column("answerStart")}, ${column("answerLength")},
      ${column("createdMs")}, ${column("answeredMs")}
    ) as g (
      tenant_id, id, phone_number_id, client_id, operation, recipient, recipient_key, type,
      callback_data, content_type, body_start, body_length, state, wamid, answer_status,
      answer_content_type, answer_start, answer_length, created_ms, answered_ms)
    join tenant t on t.id = g.tenant_id
    cross join (select ${bytes}::bytea as bytes) b
    on conflict (tenant_id, id, created_at) do update set
      state = excluded.state, wamid = excluded.wamid, answer_status = excluded.answer_status,
      answer_content_type = excluded.answer_content_type, answer_body = excluded.answer_body,
      answered_at = excluded.answered_at, resolved_at = null
    where excluded.answer_status is not null or message.state = 'sending'`.execute(db);
}

const COLUMNS = [
  "tenantId",
  "id",
  "phoneNumberId",
  "clientId",
  "operation",
  "recipient",
  "recipientKey",
  "type",
  "callbackData",
  "contentType",
  "bodyStart",
  "bodyLength",
  "state",
  "wamid",
  "answerStatus",
  "answerContentType",
  "answerStart",
  "answerLength",
  "createdMs",
  "answeredMs",
] as const;
type ColumnName = (typeof COLUMNS)[number];

/**
 * A list of plain values for each column, and all bodies one behind the other: an object for each
 * row, its names written out in every one, was a third of a forwarded message's CPU.
 */
function columnsOf(sends: readonly SendToWrite[]): {
  column: (name: ColumnName) => RawBuilder<unknown>;
  bytes: Buffer;
} {
  const columns = Object.fromEntries(COLUMNS.map((name) => [name, []])) as unknown as Record<
    ColumnName,
    (string | number | null)[]
  >;
  const bodies: string[] = [];
  let end = 1;
  const place = (body: string): number => {
    bodies.push(body);
    end += body.length;
    return end - body.length;
  };
  for (const { send, outcome } of sends) {
    const answer = outcome?.kind === "answered" ? outcome : undefined;
    const recipient = storableText(send.recipient);
    columns.tenantId.push(send.tenantId);
    columns.id.push(send.id);
    columns.phoneNumberId.push(send.phoneNumberId);
    columns.clientId.push(send.clientId);
    columns.operation.push(send.operation);
    columns.recipient.push(recipient);
    columns.recipientKey.push(userKey(recipient));
    columns.type.push(storableText(send.type));
    columns.callbackData.push(storableText(send.callbackData));
    columns.contentType.push(storableText(send.contentType));
    columns.bodyStart.push(place(send.body));
    columns.bodyLength.push(send.body.length);
    columns.state.push(stateOf(outcome));
    columns.wamid.push(answer && isAccepted(answer.status) ? wamidOf(answer.body) : null);
    columns.answerStatus.push(answer?.status ?? null);
    columns.answerContentType.push(storableText(answer?.contentType));
    columns.answerStart.push(answer ? place(answer.body) : null);
    columns.answerLength.push(answer?.body.length ?? null);
    columns.createdMs.push(send.sentAtMs);
    columns.answeredMs.push(answer?.answeredAtMs ?? null);
  }
  return {
    column: (name) => sql`json_array_elements_text(${JSON.stringify(columns[name])}::json)`,
    bytes: Buffer.from(bodies.join(""), "latin1"),
  };
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

function stateOf(outcome: SendOutcome | undefined): MessageState {
  switch (outcome?.kind) {
    case undefined:
    case "not_sent":
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

const BEYOND_ASCII = /[\x80-\xff]/;

/** The id of the message or call that an answer tells; the answer's bytes as latin1 text. */
export function wamidOf(answer: string): string | null {
  try {
    const json = BEYOND_ASCII.test(answer)
      ? Buffer.from(answer, "latin1").toString("utf8")
      : answer;
    const { messages, calls } = JSON.parse(json) as Record<
      "messages" | "calls",
      { id?: unknown }[] | undefined
    >;
    return storableText(messages?.[0]?.id ?? calls?.[0]?.id);
  } catch {
    return null;
  }
}
