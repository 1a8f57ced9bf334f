import { sql } from "kysely";
import type { Database } from "../store/database.ts";
import type { MessageState } from "../store/schema.ts";
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
  const bytes: Buffer[] = [];
  let end = 1;
  const place = (buffer: Buffer): number => {
    bytes.push(buffer);
    end += buffer.length;
    return end - buffer.length;
  };
  const rows = sends.map(({ send, outcome }) => {
    const answer = outcome?.kind === "answered" ? outcome : undefined;
    const recipient = storableText(send.recipient);
    return {
      tenant_id: send.tenantId,
      id: send.id,
      phone_number_id: send.phoneNumberId,
      client_id: send.clientId,
      operation: send.operation,
      recipient,
      recipient_key: userKey(recipient),
      type: storableText(send.type),
      callback_data: storableText(send.callbackData),
      content_type: storableText(send.contentType),
      body_start: place(send.body),
      body_length: send.body.length,
      ...stateOf(outcome),
      answer_status: answer?.status,
      answer_content_type: storableText(answer?.contentType),
      answer_start: answer && place(answer.body),
      answer_length: answer?.body.length,
      created_at: send.sentAt,
      answered_at: answer?.answeredAt,
    };
  });
  // One JSON text instead of an array for each column: it is written by native code.
  await sql`
    insert into message (
      tenant_id, id, phone_number_id, client_id, operation, recipient, recipient_key, type,
      callback_data, content_type, body, state, wamid, answer_status, answer_content_type,
      answer_body, created_at, answered_at)
    select g.tenant_id, g.id, g.phone_number_id, g.client_id, g.operation, g.recipient,
      g.recipient_key, g.type, g.callback_data, g.content_type,
      substring(b.bytes from body_start for body_length), g.state, g.wamid, g.answer_status,
      g.answer_content_type, substring(b.bytes from answer_start for answer_length), g.created_at,
      g.answered_at
    from json_to_recordset(${JSON.stringify(rows)}::json) as g (
      tenant_id text, id text, phone_number_id text, client_id text, operation text,
      recipient text, recipient_key text, type text, callback_data text, content_type text,
      body_start int, body_length int, state text, wamid text, answer_status int,
      answer_content_type text, answer_start int, answer_length int, created_at timestamptz,
      answered_at timestamptz)
    join tenant t on t.id = g.tenant_id
    cross join (select ${Buffer.concat(bytes)}::bytea as bytes) b
    on conflict (tenant_id, id, created_at) do update set
      state = excluded.state, wamid = excluded.wamid, answer_status = excluded.answer_status,
      answer_content_type = excluded.answer_content_type, answer_body = excluded.answer_body,
      answered_at = excluded.answered_at, resolved_at = null
    where excluded.answer_status is not null or message.state = 'sending'`.execute(db);
}

/** Sends that were never made after all. */
export async function forgetMessages(
  db: Database,
  sends: readonly Pick<LoggedSend, "tenantId" | "id" | "sentAt">[],
): Promise<void> {
  await sql`
    delete from message m using unnest(
      ${sends.map(({ tenantId }) => tenantId)}::text[], ${sends.map(({ id }) => id)}::text[],
      ${sends.map(({ sentAt }) => sentAt)}::timestamptz[]) as g (tenant_id, id, created_at)
    where m.tenant_id = g.tenant_id and m.id = g.id and m.created_at = g.created_at`.execute(db);
}

function stateOf(outcome: SendOutcome | undefined): {
  state: MessageState;
  wamid: string | null;
} {
  switch (outcome?.kind) {
    case undefined:
    case "not_sent":
      return { state: "sending", wamid: null };
    case "unknown":
      return { state: "unknown", wamid: null };
    case "answered":
      return outcome.status >= 200 && outcome.status < 300
        ? { state: "accepted", wamid: wamidOf(outcome.body) }
        : { state: "refused", wamid: null };
    default:
      return outcome satisfies never;
  }
}

/** The id of the message or call that an answer tells. */
export function wamidOf(answer: Buffer): string | null {
  try {
    const { messages, calls } = JSON.parse(answer.toString("utf8")) as Record<
      "messages" | "calls",
      { id?: unknown }[] | undefined
    >;
    return storableText(messages?.[0]?.id ?? calls?.[0]?.id);
  } catch {
    return null;
  }
}
