import { type RawBuilder, sql } from "kysely";
import { type Log, logLedgerDrift } from "../../log.ts";
import { gaugeLedger, type Metrics } from "../../metrics.ts";
import type { Database } from "../../store/database.ts";
import { countHours, type Drift } from "./count-hours.ts";

/** Counts what is due, shows the totals, and says aloud what is missing. */
export function createLedgerJob(options: {
  db: Database;
  retentionMs: number;
  log: Log;
  metrics: Metrics;
}): () => Promise<void> {
  const { db, retentionMs, log, metrics } = options;
  return async () => {
    const now = new Date();
    const keptSince = new Date(now.getTime() - retentionMs);
    await countHours(db, { now, keptSince, onDrift: (drift) => logDrift(log, drift) });
    gaugeLedger(metrics, await readTotals(db));
  };
}

/** A line for each number and endpoint, with the events that are not with it. */
export function logDrift(log: Log, { hour, missing }: Drift): void {
  const eventIds = new Map<string, string[]>();
  for (const { tenant_id, endpoint_id, phone_number_id, event_id } of missing) {
    const key = JSON.stringify([tenant_id, endpoint_id, phone_number_id]);
    eventIds.set(key, [...(eventIds.get(key) ?? []), event_id]);
  }
  for (const [key, ids] of eventIds) {
    const [tenantId, endpointId, phoneNumberId] = JSON.parse(key) as [string, string, string];
    logLedgerDrift(log, {
      hour: hour.toISOString(),
      tenantId,
      endpointId,
      phoneNumberId,
      eventIds: ids,
    });
  }
}

function sum(name: string): RawBuilder<number> {
  return sql<number>`coalesce(sum(${sql.ref(name)}), 0)::float8`;
}

async function readTotals(db: Database): Promise<Record<string, number>> {
  const { rows } = await sql<Record<string, number>>`
    select ${sum("delivered")} as delivered, ${sum("exhausted")} as exhausted,
      ${sum("cancelled")} as cancelled, ${sum("live")} as live, ${sum("filtered")} as filtered,
      ${sum("missing")} as missing
    from ledger_hour`.execute(db);
  return rows[0] ?? {};
}
