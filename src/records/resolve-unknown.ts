import { sql } from "kysely";
import type { Database } from "../store/database.ts";

/**
 * Finds out what became of sends without an answer. Such a send is resolved by a status
 * - of a wamid that no answer ever told us,
 * - of the same number and recipient,
 * - from 5 s before to 10 min after the send, by the status's own clock,
 * - with the same `biz_opaque_callback_data`, or none where there was none.
 * Two wamids that fit one send, or two sends that one wamid fits (also one that is under way), leave
 * all of them unknown. After 24 hours it is `unresolved`. One under way for longer than any send
 * takes is of a process that died, and unknown too.
 *
 * Statuses count from 2 s after they came: until then the row of an answered send, written behind,
 * may not be there, and its wamid would pass for one that we were never told.
 *
 * @returns how many are still unknown
 */
export async function resolveUnknown(
  db: Database,
  options: { sendingMsMax: number },
): Promise<number> {
  const fits = sql`s.tenant_id = o.tenant_id and s.phone_number_id = o.phone_number_id
    and s.happened_at between o.created_at - interval '5 s' and o.created_at + interval '10 min'
    and s.callback_data is not distinct from o.callback_data
    and s.received_at < now() - interval '2 s'
    and s.day >= (o.created_at at time zone 'utc')::date - 1
    and not exists (select from message m where m.tenant_id = s.tenant_id and m.wamid = s.wamid)`;
  const { rows } = await sql<{ unknown_count: string }>`
    with open as (
      select tenant_id, id, created_at, phone_number_id, recipient_key, callback_data,
        case when created_at < now() - make_interval(secs => ${options.sendingMsMax / 1000})
          then 'unknown' else state end as state
      from message where state in ('sending', 'unknown')
    ), pair as (
      -- One join for each of a recipient's two names, so that each has an index to go by.
      select o.tenant_id, o.id, o.created_at, s.wamid from open o
      join message_status s on s.recipient_key = o.recipient_key and ${fits}
      union
      select o.tenant_id, o.id, o.created_at, s.wamid from open o
      join message_status s on s.user_key = o.recipient_key and ${fits}
    ), counted as (
      select tenant_id, id, created_at, wamid,
        count(*) over (partition by tenant_id, id) as wamid_count,
        count(*) over (partition by tenant_id, wamid) as send_count
      from pair
    ), next as (
      select o.tenant_id, o.id, o.created_at, c.wamid,
        case when c.wamid is not null then 'accepted'
          when o.state = 'unknown' and o.created_at < now() - interval '24 h' then 'unresolved'
          else o.state end as state
      from open o left join counted c on c.tenant_id = o.tenant_id and c.id = o.id
        and o.state = 'unknown' and c.wamid_count = 1 and c.send_count = 1
    ), changed as (
      update message m set state = n.state, wamid = n.wamid,
        resolved_at = case when n.wamid is not null then now() end
      from next n
      where m.tenant_id = n.tenant_id and m.id = n.id and m.created_at = n.created_at
        and m.state in ('sending', 'unknown') and m.state <> n.state
    )
    select count(*) as unknown_count from next where state = 'unknown'`.execute(db);
  return Number(rows[0]?.unknown_count ?? 0);
}
