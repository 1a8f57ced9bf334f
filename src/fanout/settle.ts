import { sql } from "kysely";
import { newId } from "../ids.ts";
import { textArray } from "../store/array-literal.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { prepared } from "../store/pooled-client.ts";
import type { AttemptOutcome } from "../store/schema/fanout.ts";
import type { ClaimedDelivery } from "./claim.ts";
import type { Sign } from "./condition.ts";
import { MOVED_COLUMNS } from "./endpoint-state.ts";

/** How an attempt ends for its delivery. */
export type Settlement = {
  delivery: ClaimedDelivery;
  state: "delivered" | "exhausted" | "pending";
  /** Of a pending one. */
  nextAttemptAt: Date | null;
  /** What is written of the attempt; `undefined` for one that does not count. */
  attempt: AttemptRecord | undefined;
  /** What it says of the endpoint; `undefined` for one that does not count. */
  sign: Sign | undefined;
};

export type AttemptRecord = {
  startedAt: Date;
  durationMs: number;
  status: number | null;
  answer: Buffer | null;
  outcome: AttemptOutcome;
  /** Why it was made now, and what comes next, in words. */
  reason: string;
  next: string;
};

/**
 * Ends attempts, many in one statement. Fenced by the lease: what another process has claimed since
 * is left alone and comes back as `false`. What waited for the end of one of its conversation is due.
 */
export async function settleDeliveries(
  db: Database | DatabaseTransaction,
  settlements: readonly Omit<Settlement, "sign">[],
): Promise<boolean[]> {
  const texts = (pick: (settlement: Omit<Settlement, "sign">) => string | null): string =>
    textArray(settlements.map(pick));
  const ofAttempt = (pick: (attempt: AttemptRecord) => number | string | null): string =>
    texts(({ attempt }) => (attempt === undefined ? null : (pick(attempt)?.toString() ?? null)));
  const { rows } = await sql<{ position: string }>`
    ${prepared("settle_deliveries")}
    with given as (
      select * from unnest(
        ${texts(({ delivery }) => delivery.tenant_id)}::text[],
        ${texts(({ delivery }) => delivery.event_xid)}::xid8[],
        ${texts(({ delivery }) => delivery.event_seq)}::bigint[],
        ${texts(({ delivery }) => delivery.endpoint_id)}::text[],
        ${texts(({ delivery }) => delivery.lease_token)}::uuid[],
        ${texts(({ state }) => state)}::text[],
        ${texts(({ nextAttemptAt }) => nextAttemptAt?.toISOString() ?? null)}::timestamptz[],
        ${ofAttempt(() => newId("att"))}::text[],
        ${ofAttempt(({ startedAt }) => startedAt.toISOString())}::timestamptz[],
        ${ofAttempt(({ durationMs }) => durationMs)}::int[],
        ${ofAttempt(({ status }) => status)}::int[],
        ${settlements.map(({ attempt }) => attempt?.answer ?? null)}::bytea[],
        ${ofAttempt(({ outcome }) => outcome)}::text[],
        ${ofAttempt(({ reason }) => reason)}::text[],
        ${ofAttempt(({ next }) => next)}::text[]
      ) with ordinality as g (
        tenant_id, event_xid, event_seq, endpoint_id, lease_token, state, next_attempt_at,
        attempt_id, started_at, duration_ms, status, answer, outcome, reason, next, position)
    ), finished as (
      delete from delivery d using given g
      where d.tenant_id = g.tenant_id and d.event_xid = g.event_xid and d.event_seq = g.event_seq
        and d.endpoint_id = g.endpoint_id and d.lease_token = g.lease_token
        and g.state in ('delivered', 'exhausted')
      returning d.*, g.state as end_state, g.position
    ), kept as (
      update delivery d set
        state = 'pending', next_attempt_at = g.next_attempt_at,
        lease_token = null, lease_until = null,
        attempt_count = d.attempt_count - case when g.attempt_id is null then 1 else 0 end
      from given g
      where d.tenant_id = g.tenant_id and d.event_xid = g.event_xid and d.event_seq = g.event_seq
        and d.endpoint_id = g.endpoint_id and d.lease_token = g.lease_token
        and g.state = 'pending'
      returning d.id, d.event_id, d.attempt_count, g.position
    ), moved as (
      insert into delivery_finished (${MOVED_COLUMNS}, state)
      select ${MOVED_COLUMNS}, end_state from finished
    ), next_of_conversation as (
      update delivery d set next_attempt_at = now()
      from finished f, lateral (
        select n.tenant_id, n.event_xid, n.event_seq, n.endpoint_id from delivery n
        where n.endpoint_id = f.endpoint_id and n.conversation = f.conversation
          and (n.event_xid, n.event_seq) <> (f.event_xid, f.event_seq)
        order by n.event_xid, n.event_seq limit 1
      ) n
      where f.conversation is not null and d.next_attempt_at = 'infinity'
        and d.tenant_id = n.tenant_id and d.event_xid = n.event_xid
        and d.event_seq = n.event_seq and d.endpoint_id = n.endpoint_id
    ), settled as (
      select id, event_id, attempt_count, position from finished
      union all select id, event_id, attempt_count, position from kept
    ), told as (
      insert into attempt (tenant_id, id, delivery_id, event_id, number, started_at, duration_ms,
        status, answer, outcome, reason, next)
      select g.tenant_id, g.attempt_id, s.id, s.event_id, s.attempt_count, g.started_at,
        g.duration_ms, g.status, g.answer, g.outcome, g.reason, g.next
      from given g join settled s using (position) where g.attempt_id is not null
    )
    select position from settled
  `.execute(db);
  const positions = new Set(rows.map((row) => Number(row.position)));
  return settlements.map((_, index) => positions.has(index + 1));
}
