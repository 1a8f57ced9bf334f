import { parseKeepingDigits } from "../events/present-event.ts";
import type { Schemas } from "../http/contract-types.ts";
import { furthestStatus } from "./furthest-status.ts";
import type { getMessage, ListedMessageRow, MessageRow, StatusRow } from "./read-messages.ts";

export function presentMessage(row: ListedMessageRow): Schemas["LoggedMessage"] {
  return presentHead(row, row.statuses ?? []);
}

/** With what was sent and answered, its statuses and what became of their deliveries. */
export function presentMessageDetail({
  message,
  statuses,
  deliveries,
}: Awaited<ReturnType<typeof getMessage>>): Schemas["LoggedMessageDetail"] {
  return {
    ...presentHead(
      message,
      statuses.map(({ status }) => status),
    ),
    request: presentContent(message.content_type, message.body),
    answer:
      message.answer_status === null || message.answer_body === null
        ? null
        : {
            status: message.answer_status,
            ...presentContent(message.answer_content_type, message.answer_body),
          },
    statuses: statuses.map(presentStatus),
    deliveries: deliveries.map(({ id, event_id, endpoint_id, state }) => ({
      id,
      event_id,
      endpoint_id,
      state,
    })) as Schemas["LoggedMessageDetail"]["deliveries"],
  };
}

function presentHead(row: MessageRow, statuses: readonly string[]): Schemas["LoggedMessage"] {
  return {
    id: row.id,
    wamid: row.wamid,
    phone_number_id: row.phone_number_id,
    client_id: row.client_id,
    operation: row.operation,
    recipient: row.recipient,
    type: row.type,
    biz_opaque_callback_data: row.callback_data,
    state: row.state,
    status: furthestStatus(statuses),
    sent_at: row.created_at.toISOString(),
    answered_at: row.answered_at?.toISOString() ?? null,
    resolved_at: row.resolved_at?.toISOString() ?? null,
  };
}

function presentStatus(row: StatusRow): Schemas["LoggedMessageStatus"] {
  return {
    status: row.status,
    recipient: row.recipient,
    timestamp: row.happened_at.toISOString(),
    received_at: row.received_at.toISOString(),
    event_id: row.event_id,
    errors: row.errors === null ? null : (JSON.parse(row.errors) as unknown),
    pricing: row.pricing === null ? null : (JSON.parse(row.pricing) as unknown),
  };
}

/** What is JSON as JSON, its numbers with their digits; anything else as base64. */
function presentContent(
  contentType: string | null,
  body: Buffer,
): { content_type: string | null; body?: unknown; body_base64?: string } {
  try {
    return { content_type: contentType, body: parseKeepingDigits(body.toString("utf8")) };
  } catch {
    return { content_type: contentType, body_base64: body.toString("base64") };
  }
}
