import { randomUUID } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import { textArray, numberArray } from "../store/array-literal.ts";
import { prepared } from "../store/pooled-client.ts";
import type { ClaimedDelivery } from "./claim.ts";
import { LOCKED_ENDPOINTS } from "./open-endpoints.ts";

// The attempt's own deadline comes first; the rest is for settling it.
const LEASE_MARGIN_SECONDS = 10;
// A paced endpoint is given this much of a second at once, and is looked at as often.
const PACE_STEP_SECONDS = 0.05;
// When slots of others have to come free first; whoever ends an attempt looks sooner.
const WITHOUT_ROOM_MS = 100;

/** A tenant for whom something due was left, and when it is worth another look. */
export type Cut = { tenant_id: string; again_ms: number };

/** The first row has all cuts; where nothing is leased, it is the only one and has nothing else. */
export type Leased = Partial<Omit<ClaimedDelivery, "endpoint">> & { cut: Cut[] | null };

/**
 * Leases what is due of the endpoints that its transaction has locked: no more than their slots and
 * their pace give, in turns, so that whoever has little due is never behind whoever has much. A
 * tenant has no more under way than there is room left for others; so there is always some, however
 * many endpoints hang.
 *
 * The rows are found again by where they lie, without their key: one that has moved since (it was made
 * due by hand) is left to the next look.
 *
 * Of an endpoint in order, what another delivery of the same conversation comes before is put off
 * (to `infinity`) until that one ends, so that it is looked at once and not again and again.
 */
export function leaseDue(options: {
  deliveriesMax: number;
  underWay: ReadonlyMap<string, number>;
  room: number;
}): RawBuilder<Leased> {
  const { deliveriesMax, underWay, room } = options;
  return sql<Leased>`
    ${prepared("lease_due")}
    with paced as materialized (
      select e.*, clock_timestamp() as at,
        least(e.rate_per_second, e.ramp_per_second) as per_second, (
          select count(*) from delivery f where f.endpoint_id = e.id and f.state = 'delivering'
        ) as under_way
      from webhook_endpoint e where e.id = any (${LOCKED_ENDPOINTS})
    ), tokened as materialized (
      select p.*, case when per_second is not null then least(
        greatest(1, per_second * ${PACE_STEP_SECONDS}::float8),
        pace_tokens + per_second * greatest(0, extract(epoch from at - coalesce(pace_at, at)))
      ) end as tokens
      from paced p
    ), open_endpoint as materialized (
      select t.*, case state
        when 'held' then case under_way when 0 then 1 else 0 end
        else greatest(0, least(max_in_flight - under_way, floor(tokens)))::int end as slots
      from tokened t
    ), share as materialized (
      -- Of each no more is looked at than is likely to be chosen; where there is more it is looked again.
      select ceil(2.0 * ${deliveriesMax}::int / count(*))::int as turns_max
      from open_endpoint where slots > 0 having count(*) > 0
    ), due as materialized (
      select d.*, row_number() over (partition by d.endpoint_id order by d.next_attempt_at) as turn,
        d.conversation is not null and exists (
          select 1 from delivery b
          where b.endpoint_id = d.endpoint_id and b.conversation = d.conversation
            and (b.event_xid, b.event_seq) < (d.event_xid, d.event_seq)) as put_off
      from open_endpoint o, lateral (
        select ctid, tenant_id, event_xid, event_seq, endpoint_id, next_attempt_at, conversation,
          o.timeout_seconds
        from delivery
        where endpoint_id = o.id and state = 'pending' and next_attempt_at
          <= case o.state when 'held' then 'infinity'::timestamptz else now() end
        order by next_attempt_at limit least(o.slots, (select turns_max from share))
      ) d where o.slots > 0
    ), in_turn as (
      select d.*, row_number() over (partition by d.tenant_id order by d.turn, random()) as tenant_turn
      from due d where not put_off
    ), chosen as materialized (
      select t.* from in_turn t
      left join unnest(
        ${textArray([...underWay.keys()])}::text[], ${numberArray([...underWay.values()])}::int[]
      ) as u (tenant_id, under_way) on u.tenant_id = t.tenant_id
      where t.tenant_turn <= ${room} - coalesce(u.under_way, 0)
      order by t.tenant_turn limit ${deliveriesMax}
    ), put_off as (
      update delivery d set next_attempt_at = 'infinity' from due
      where due.put_off and d.ctid = due.ctid
    ), claimed as (
      update delivery d set state = 'delivering', attempt_count = d.attempt_count + 1,
        lease_token = ${randomUUID()}::uuid,
        lease_until = clock_timestamp()
          + make_interval(secs => c.timeout_seconds + ${LEASE_MARGIN_SECONDS})
      from chosen c
      where d.ctid = c.ctid and d.state = 'pending'
      returning d.*
    ), spent as (
      update webhook_endpoint e set pace_at = o.at,
        pace_tokens = o.tokens - (select count(*) from chosen c where c.endpoint_id = e.id)
      from open_endpoint o where e.id = o.id and o.tokens is not null
    ), cut as (
      select tenant_id, case
        when bool_or(put_off)
          or (select count(*) from chosen) in (${deliveriesMax}, (select count(*) from in_turn)) then 0
        else ${WITHOUT_ROOM_MS}::int end as again_ms
      from due
      where put_off or turn = (select turns_max from share)
        or (select count(*) from chosen) < (select count(*) from in_turn)
      group by tenant_id
      union all
      -- Whose slots are all taken: by other processes too, and what those end is not heard of here.
      select tenant_id, ${WITHOUT_ROOM_MS}::int from open_endpoint o
      where state = 'active' and slots <= (select count(*) from due d where d.endpoint_id = o.id)
      union all
      select tenant_id, (greatest(${PACE_STEP_SECONDS}::float8, 1 / per_second) * 1000)::int
      from open_endpoint
      where tokens is not null and state = 'active' and under_way < max_in_flight
    )
    select case row_number() over () when 1 then (select json_agg(cut) from cut) end as cut,
      clock_timestamp() as claimed_at, c.tenant_id, c.event_xid, c.event_seq,
      c.endpoint_id, c.id, c.event_id, c.attempt_count, c.attempts_before_replay, c.replayed_at,
      c.conversation, c.lease_token,
      (o.stopped_ms - c.stopped_ms_before + coalesce(
        extract(epoch from now() - o.stopped_at) * 1000, 0))::float8 as stopped_ms,
      e.type, e.phone_number_id, e.waba_id, e.received_at, e.body
    from (select 1) one
    left join (
      claimed c
      join open_endpoint o on o.id = c.endpoint_id
      -- By the one index that any plan must choose, also one made while the table is empty.
      join event e on e.tenant_id = c.tenant_id and e.xid = c.event_xid and e.seq = c.event_seq
        and e.received_at = c.event_received_at
    ) on true
  `;
}
