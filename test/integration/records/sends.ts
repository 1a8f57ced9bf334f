import { newId } from "../../../src/ids.ts";
import type { FollowedEvent } from "../../../src/records/follow-events.ts";
import type { LoggedSend, WrittenOutcome } from "../../../src/records/message-log.ts";
import { recordStatuses } from "../../../src/records/record-statuses.ts";
import { type KnownSend, packSends, writeMessages } from "../../../src/records/write-messages.ts";
import type { Database } from "../../../src/store/database.ts";

export const NUMBER = "106540352242922";

export function send(tenantId: string, fields: Partial<LoggedSend> = {}): LoggedSend {
  return {
    id: newId("msg"),
    tenantId,
    phoneNumberId: NUMBER,
    clientId: "cli_1",
    operation: "sendMessage",
    recipient: "15550002222",
    type: "text",
    callbackData: undefined,
    contentType: "application/json",
    body: Buffer.from('{"to":"15550002222"}'),
    sentAtMs: Date.now(),
    ...fields,
  };
}

export function answered(wamid: string, status = 200): WrittenOutcome & { kind: "answered" } {
  return {
    kind: "answered",
    status,
    contentType: "application/json",
    body: Buffer.from(JSON.stringify({ messages: [{ id: wamid }] })),
    answeredAtMs: Date.now(),
  };
}

export function writeSends(db: Database, sends: readonly KnownSend[]): Promise<void> {
  return writeMessages(db, packSends(sends));
}

export type StatusFields = {
  wamid: string;
  status?: string;
  phoneNumberId?: string;
  happenedAt?: Date;
  receivedAt?: Date;
  item?: Record<string, unknown>;
};

export function statusEvent(tenantId: string, fields: StatusFields): FollowedEvent {
  const receivedAt = fields.receivedAt ?? new Date(Date.now() - 3000);
  const happenedAt = fields.happenedAt ?? new Date();
  const status = fields.status ?? "sent";
  return {
    tenantId,
    id: newId("evt"),
    type: `message.status.${status}`,
    phoneNumberId: fields.phoneNumberId ?? NUMBER,
    wabaId: null,
    receivedAt,
    value: {
      statuses: [
        {
          id: fields.wamid,
          status,
          timestamp: String(Math.floor(happenedAt.getTime() / 1000)),
          recipient_id: "15550002222",
          ...fields.item,
        },
      ],
    },
  };
}

export async function record(db: Database, ...events: FollowedEvent[]): Promise<void> {
  await db.transaction().execute((trx) => recordStatuses(trx, events));
}
