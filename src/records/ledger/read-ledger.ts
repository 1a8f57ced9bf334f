import { type RawBuilder, sql } from "kysely";
import type { EventCursor } from "../../events/read-events.ts";
import type { Database } from "../../store/database.ts";
import type { WebhookEndpointState } from "../../store/schema/fanout.ts";
import { countEvents, HOUR_MS, type LedgerCount } from "./count-events.ts";
import { hourOf } from "./count-hours.ts";

export type LedgerRow = LedgerCount & {
  hour: Date;
  counted_at: Date;
  /** `null` when it is deleted. */
  endpoint_state: WebhookEndpointState | null;
};

export type LedgerFilter = {
  endpointId?: string | undefined;
  phoneNumberId?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** A token's limit to some numbers; `null` means all of the tenant. */
  among: readonly string[] | null;
};

const EVENTS_AT_ONCE = 2000;

/**
 * A tenant's ledger by hour, endpoint and number. Hours that are counted are read; those after them,
 * which are open, are counted here from their rows.
 */
export async function readLedger(
  db: Database,
  tenantId: string,
  options: LedgerFilter & { limit: number; after: string[] | undefined; now: Date },
): Promise<LedgerRow[]> {
  const { limit, after, now } = options;
  const rows = await readCounted(db, tenantId, options);
  const to = options.to === undefined || options.to > now ? now : options.to;
  let hour = await firstOpenHour(db, options);
  while (hour !== undefined && hour < to && rows.length <= limit) {
    const open = await countOpen(db, tenantId, { ...options, hour });
    rows.push(...open.filter((row) => after === undefined || compare(keyOf(row), after) > 0));
    hour = new Date(hour.getTime() + HOUR_MS);
  }
  return rows.slice(0, limit + 1);
}

/** A row's place in the list. */
export function keyOf(row: LedgerRow): string[] {
  return [row.hour.toISOString(), row.endpoint_id, row.phone_number_id];
}

function compare(left: readonly string[], right: readonly string[]): number {
  const at = left.findIndex((part, index) => part !== right[index]);
  return at === -1 ? 0 : (left[at] ?? "") < (right[at] ?? "") ? -1 : 1;
}

async function readCounted(
  db: Database,
  tenantId: string,
  options: LedgerFilter & { limit: number; after: string[] | undefined },
): Promise<LedgerRow[]> {
  const [afterHour = null, ...afterRest] = options.after ?? [];
  const { rows } = await sql<LedgerRow>`${counted(sql`${tenantId}`, {
    ...options,
    afterHour,
    behind: sql`(l.hour, l.endpoint_id, l.phone_number_id) > (${afterHour}::timestamptz,
      ${afterRest[0] ?? null}::text, ${afterRest[1] ?? null}::text)`,
  })}`.execute(db);
  return rows;
}

/** The first rows of one tenant's counted hours, in their order; `behind` holds after the cursor. */
export function counted(
  tenantId: RawBuilder<unknown>,
  options: LedgerFilter & {
    limit: number;
    afterHour: string | null;
    behind: RawBuilder<unknown>;
  },
): RawBuilder<unknown> {
  const { endpointId, phoneNumberId, from, to, among, limit, afterHour, behind } = options;
  return sql`
    select l.tenant_id, l.hour, l.endpoint_id, l.phone_number_id, l.received::int,
      l.filtered::int, l.delivered::int, l.exhausted::int, l.cancelled::int, l.pending::int,
      l.delivering::int, l.missing::int, h.counted_at, w.state as endpoint_state
    from ledger l join ledger_hour h on h.hour = l.hour and h.pass = l.pass
    left join webhook_endpoint w on w.id = l.endpoint_id
    where l.tenant_id = ${tenantId}
      and (${afterHour}::timestamptz is null or ${behind})
      and (${afterHour}::timestamptz is null or l.hour >= ${afterHour}::timestamptz)
      and (${from ?? null}::timestamptz is null or l.hour >= ${from && hourOf(from)})
      and (${to ?? null}::timestamptz is null or l.hour < ${to ?? null})
      and (${endpointId ?? null}::text is null or l.endpoint_id = ${endpointId ?? null})
      and (${phoneNumberId ?? null}::text is null or l.phone_number_id = ${phoneNumberId ?? null})
      and (${among}::text[] is null or l.phone_number_id = any (${among}::text[]))
    order by l.hour, l.endpoint_id, l.phone_number_id
    limit ${limit + 1}`;
}

/** The first from `from` on that is not counted; hours are counted in their order. */
async function firstOpenHour(
  db: Database,
  options: { from?: Date | undefined; after: string[] | undefined },
): Promise<Date | undefined> {
  const { rows } = await sql<{ hour: Date | null }>`
    select coalesce(
      (select max(hour) + interval '1 hour' from ledger_hour where pass > 0),
      (select date_trunc('hour', received_at, 'UTC') from event order by xid, seq limit 1)
    ) as hour`.execute(db);
  const hour = rows[0]?.hour ?? undefined;
  const after = options.after?.[0];
  const notBefore = [options.from && hourOf(options.from), after && new Date(after)];
  return hour && new Date(Math.max(Number(hour), ...notBefore.map((time) => Number(time || 0))));
}

async function countOpen(
  db: Database,
  tenantId: string,
  options: LedgerFilter & { hour: Date; now: Date },
): Promise<LedgerRow[]> {
  const { hour, now, endpointId, phoneNumberId, among } = options;
  const sums = new Map<string, LedgerCount>();
  let after: EventCursor | undefined = ["0", "0"];
  while (after !== undefined) {
    const { counts, last, eventCount } = await countEvents(db, {
      hour,
      after,
      eventsMax: EVENTS_AT_ONCE,
      tenantId,
    });
    for (const count of counts) {
      const key = `${count.endpoint_id} ${count.phone_number_id}`;
      const sum = sums.get(key);
      sums.set(key, sum === undefined ? count : added(sum, count));
    }
    after = eventCount === EVENTS_AT_ONCE ? last : undefined;
  }
  const states = await db
    .selectFrom("webhook_endpoint")
    .select(["id", "state"])
    .where("tenant_id", "=", tenantId)
    .execute();
  const stateOf = new Map(states.map(({ id, state }) => [id, state]));
  return [...sums.values()]
    .filter(
      (count) =>
        (endpointId === undefined || count.endpoint_id === endpointId) &&
        (phoneNumberId === undefined || count.phone_number_id === phoneNumberId) &&
        (among === null || among.includes(count.phone_number_id)),
    )
    .map((count) => ({
      ...count,
      hour,
      counted_at: now,
      endpoint_state: stateOf.get(count.endpoint_id) ?? null,
    }))
    .toSorted((left, right) => compare(keyOf(left), keyOf(right)));
}

function added(sum: LedgerCount, more: LedgerCount): LedgerCount {
  return {
    ...sum,
    received: sum.received + more.received,
    filtered: sum.filtered + more.filtered,
    delivered: sum.delivered + more.delivered,
    exhausted: sum.exhausted + more.exhausted,
    cancelled: sum.cancelled + more.cancelled,
    pending: sum.pending + more.pending,
    delivering: sum.delivering + more.delivering,
    missing: sum.missing + more.missing,
  };
}
