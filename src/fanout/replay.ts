import { type RawBuilder, sql } from "kysely";
import { ERASED_BODY } from "../events/erased-body.ts";
import { xidFrom } from "../events/xid-marks.ts";
import type { Database } from "../store/database.ts";
import { hasIdByBeginning, hasLiveId } from "./delivery-id.ts";
import { MOVED_COLUMNS, SINCE_STOPPED_MS } from "./endpoint-state.ts";

/** Which finished deliveries are opened again. */
export type ReplayWish =
  | { kind: "ids"; deliveryIds: readonly string[] }
  /** What was made in a span of time. */
  | { kind: "span"; from: Date; to: Date }
  /** What was given up at that time or later. */
  | { kind: "failed"; since: Date };

export type Replay = {
  replayedIds: string[];
  lastDueAt: Date | null;
  /** When there may be more: from when on. A few that were opened are in that too. */
  stoppedAt: Date | null;
};

export type ReplayScope = {
  /** Of this endpoint only. */
  endpointId?: string | undefined;
  /** A token's limit to some numbers; `null` means all of the tenant. */
  among: readonly string[] | null;
};

const BATCH_MAX = 1000;
const CALL_MAX = 100_000;
// What is new goes between what is replayed.
const PER_SECOND = 50;
// What is later in the readers' order may have begun so much earlier.
const STATEMENT_MS_MAX = 3000;

type Key = [xid: string, seq: string];

/**
 * Opens finished deliveries again: the same rows under the same ids, moved back to the live ones in
 * bounded statements, so that what has been moved stays so whatever happens next. They become due
 * one after the other. Walks the readers' order, so that none is opened twice, however soon it ends.
 */
export async function replayDeliveries(
  db: Database,
  tenantId: string,
  options: ReplayScope & {
    wish: ReplayWish;
    /** How old an event may be: an older one is about to go. */
    retentionMs: number;
    callMax?: number;
    batchMax?: number;
  },
): Promise<Replay> {
  const { callMax = CALL_MAX, batchMax = BATCH_MAX } = options;
  // By the database's clock, which all processes share.
  const { rows: clock } = await sql<{ now: Date }>`select now()`.execute(db);
  const startedAt = clock[0]?.now ?? new Date();
  const replay: Replay = { replayedIds: [], lastDueAt: null, stoppedAt: null };
  let after: Key = ["0", "0"];
  for (;;) {
    const count = replay.replayedIds.length;
    const limit = Math.min(batchMax, callMax - count);
    const rows = await openBatch(db, tenantId, { ...options, after, limit, count, startedAt });
    const last = rows.at(-1);
    if (last === undefined) {
      return replay;
    }
    replay.replayedIds.push(...rows.map(({ id }) => id));
    replay.lastDueAt = last.next_attempt_at;
    after = [last.event_xid, last.event_seq];
    if (rows.length < limit) {
      return replay;
    }
    if (replay.replayedIds.length >= callMax) {
      return { ...replay, stoppedAt: new Date(last.created_at.getTime() - STATEMENT_MS_MAX) };
    }
  }
}

type Opened = {
  id: string;
  event_xid: string;
  event_seq: string;
  created_at: Date;
  next_attempt_at: Date;
};

async function openBatch(
  db: Database,
  tenantId: string,
  options: ReplayScope & {
    wish: ReplayWish;
    retentionMs: number;
    after: Key;
    limit: number;
    count: number;
    startedAt: Date;
  },
): Promise<Opened[]> {
  const { wish, endpointId, among, retentionMs, after, limit, count, startedAt } = options;
  const keptSince = new Date(startedAt.getTime() - retentionMs);
  const [afterXid, afterSeq] = after;
  // One walk for each state: together with it the index gives the order.
  const finished = (state: string): RawBuilder<unknown> => sql`(
    select f.*, w.stopped_ms + ${SINCE_STOPPED_MS} as stopped_ms_before
    from delivery_finished f
    join webhook_endpoint w on w.tenant_id = f.tenant_id and w.id = f.endpoint_id
    join event e on e.tenant_id = f.tenant_id and e.id = f.event_id
      and e.received_at = f.event_received_at
      -- What was erased goes to nobody any more.
      and e.body <> ${ERASED_BODY}
    where f.tenant_id = ${tenantId} and f.state = ${state}
      and f.event_received_at >= ${keptSince} and f.finished_at >= ${keptSince}
      and (f.event_xid, f.event_seq) > (${afterXid}::xid8, ${afterSeq}::bigint)
      and (${endpointId ?? null}::text is null or f.endpoint_id = ${endpointId ?? null})
      and (${among}::text[] is null or e.phone_number_id = any (${among}::text[]))
      and ${wished(wish)}
    order by f.event_xid, f.event_seq limit ${limit})`;
  const states = wish.kind === "failed" ? ["exhausted"] : ["delivered", "exhausted"];
  const { rows } = await sql<Opened>`
    with chosen as materialized (
      select * from (${sql.join(states.map(finished), sql` union all `)}) both_of_them
      order by event_xid, event_seq limit ${limit}
    ), moved as (
      delete from delivery_finished d using chosen c
      where d.tenant_id = c.tenant_id and d.event_xid = c.event_xid and d.event_seq = c.event_seq
        and d.endpoint_id = c.endpoint_id and d.finished_at = c.finished_at
      returning d.*, c.stopped_ms_before
    ), counted_again as (
      update ledger_hour set count_again_at = clock_timestamp() where hour in (
        select date_trunc('hour', event_received_at, 'UTC') from moved)
    ), opened as (
      insert into delivery (${MOVED_COLUMNS}, state, next_attempt_at, stopped_ms_before)
      select tenant_id, event_xid, event_seq, endpoint_id, id, event_id, event_received_at,
        conversation, now(), attempt_count, attempt_count, created_at, 'pending',
        greatest(now(), ${startedAt}::timestamptz + make_interval(secs =>
          (${count}::int + row_number() over (order by event_xid, event_seq) - 1)
            / ${PER_SECOND}::float8)),
        stopped_ms_before
      from moved
      returning id, event_xid, event_seq, created_at, next_attempt_at
    )
    select * from opened order by event_xid, event_seq`.execute(db);
  return rows;
}

function wished(wish: ReplayWish): RawBuilder<boolean> {
  switch (wish.kind) {
    case "ids":
      return hasIdByBeginning("f", wish.deliveryIds);
    case "span":
      // What finished was made before, so that earlier partitions need not be looked at.
      return sql<boolean>`f.created_at >= ${wish.from} and f.created_at < ${wish.to}
        and f.finished_at >= ${wish.from} and f.event_xid >= ${xidFrom(wish.from)}`;
    case "failed":
      return sql<boolean>`f.finished_at >= ${wish.since}`;
    default:
      return wish satisfies never;
  }
}

/**
 * Makes waiting ones due at once. Their horizon runs on; of those of a stopped endpoint it stands
 * still anyway. What waits for another of its conversation still does.
 */
export async function hastenDeliveries(
  db: Database,
  tenantId: string,
  options: ReplayScope & { deliveryIds: readonly string[] },
): Promise<string[]> {
  const { deliveryIds, endpointId, among } = options;
  const { rows } = await sql<{ id: string }>`
    update delivery d set next_attempt_at = least(next_attempt_at, now())
    from webhook_endpoint w, event e
    where w.tenant_id = ${tenantId} and d.tenant_id = ${tenantId} and d.endpoint_id = w.id
      and ${hasLiveId(deliveryIds)}
      and e.tenant_id = d.tenant_id and e.id = d.event_id and e.received_at = d.event_received_at
      and d.state = 'pending' and d.next_attempt_at < 'infinity'
      and (${endpointId ?? null}::text is null or d.endpoint_id = ${endpointId ?? null})
      and (${among}::text[] is null or e.phone_number_id = any (${among}::text[]))
    returning d.id`.execute(db);
  return rows.map(({ id }) => id);
}
