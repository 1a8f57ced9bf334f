import { sql } from "kysely";
import { prepared } from "../store/pooled-client.ts";
import type { ApplyEvents } from "./follow-events.ts";
import { parseStatus } from "./parse-status.ts";
import { TENANT_STANDS } from "./tenant-stands.ts";

/**
 * Keeps each status of each wamid, whether the send was ours or not: a send whose outcome is unknown
 * may turn out to be behind it.
 */
export const recordStatuses: ApplyEvents = async (trx, events) => {
  const statuses = events.map(parseStatus).filter((status) => status !== undefined);
  if (statuses.length === 0) {
    return;
  }
  await sql`
    ${prepared("record_statuses")}
    insert into message_status (
      tenant_id, phone_number_id, wamid, status, recipient, recipient_key, user_key,
      callback_data, happened_at, received_at, event_id, errors, pricing)
    select g.tenant_id, g.phone_number_id, g.wamid, g.status, g.recipient, g.recipient_key,
      g.user_key, g.callback_data, g.happened_at, g.received_at, g.event_id, g.errors, g.pricing
    from json_to_recordset(${JSON.stringify(statuses)}::json) as g (
      tenant_id text, phone_number_id text, wamid text, status text, recipient text,
      recipient_key text, user_key text, callback_data text, happened_at timestamptz,
      received_at timestamptz, event_id text, errors text, pricing text)
    where ${TENANT_STANDS}
    on conflict do nothing`.execute(trx);
};
