import { type Selectable, sql } from "kysely";
import type { DatabaseTransaction } from "../store/database.ts";
import type { WebhookEndpointState, WebhookEndpointTable } from "../store/schema/fanout.ts";
import { afterAttempt, type Condition, type ConditionPolicy } from "./condition.ts";
import { SINCE_STOPPED_MS } from "./endpoint-state.ts";
import type { Settlement } from "./settle.ts";

/** An endpoint that attempts have held, resumed or disabled. */
export type ConditionChange = {
  endpoint: ConditionRow;
  from: WebhookEndpointState;
  to: WebhookEndpointState;
};

export type ConditionRow = Pick<
  Selectable<WebhookEndpointTable>,
  | "id"
  | "tenant_id"
  | "url"
  | "phone_number_ids"
  | "state"
  | "failure_count"
  | "failing_since"
  | "probe_at"
  | "probe_count"
  | "not_before"
  | "ramp_per_second"
  | "ramp_slowed_at"
>;

export async function lockConditions(
  trx: DatabaseTransaction,
  endpointIds: string[],
): Promise<ConditionRow[]> {
  return trx
    .selectFrom("webhook_endpoint")
    .select(["id", "tenant_id", "url", "phone_number_ids", "state", "failure_count"])
    .select(["failing_since", "probe_at", "probe_count", "not_before"])
    .select(["ramp_per_second", "ramp_slowed_at"])
    .where("id", "=", sql<string>`any (${endpointIds}::text[])`)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
}

/** Applies what attempts say, in the order in which they ended, and tells each what follows. */
export async function writeConditions(
  trx: DatabaseTransaction,
  options: {
    endpoints: readonly ConditionRow[];
    settlements: readonly Settlement[];
    policy: ConditionPolicy;
  },
): Promise<{ changes: ConditionChange[]; told: Settlement[] }> {
  const { endpoints, settlements, policy } = options;
  const conditions = new Map(endpoints.map((row) => [row.id, conditionOf(row)]));
  const told = settlements.map((settlement): Settlement => {
    const { sign, delivery, attempt } = settlement;
    const before = conditions.get(delivery.endpoint_id);
    if (before === undefined || sign === undefined || attempt === undefined) {
      return settlement;
    }
    const nowMs = attempt.startedAt.getTime() + attempt.durationMs;
    const after = afterAttempt(before, sign, { nowMs, policy });
    conditions.set(delivery.endpoint_id, after);
    return {
      ...settlement,
      attempt: { ...attempt, next: nextWith(after, attempt.next, settlement) },
    };
  });
  const changes: ConditionChange[] = [];
  for (const row of endpoints) {
    const after = conditions.get(row.id);
    if (after !== undefined) {
      await writeCondition(trx, row, after);
      if (after.state !== row.state) {
        changes.push({ endpoint: row, from: row.state, to: after.state });
      }
    }
  }
  return { changes, told };
}

/** What comes next is the endpoint's to say once it is held. */
function nextWith(after: Condition, next: string, { state, sign }: Settlement): string {
  if (after.state !== "held" || state !== "pending" || sign?.kind === "gone") {
    return next;
  }
  const probe = after.probeAtMs === null ? "" : ` and is probed from ${isoOf(after.probeAtMs)} on`;
  return `Held: the endpoint has failed ${after.failureCount} times in a row${probe}.`;
}

async function writeCondition(
  trx: DatabaseTransaction,
  row: ConditionRow,
  after: Condition,
): Promise<void> {
  const stops = row.state === "active" && after.state !== "active";
  const resumes = row.state !== "active" && after.state === "active";
  await trx
    .updateTable("webhook_endpoint")
    .set({
      state: after.state,
      failure_count: after.failureCount,
      failing_since: dateOf(after.failingSinceMs),
      probe_at: dateOf(after.probeAtMs),
      probe_count: after.probeCount,
      not_before: dateOf(after.notBeforeMs),
      ramp_per_second: after.rampPerSecond,
      ramp_slowed_at: dateOf(after.rampSlowedAtMs),
      ...(stops && { stopped_at: sql`now()` }),
      ...(resumes && { stopped_ms: sql`stopped_ms + ${SINCE_STOPPED_MS}`, stopped_at: null }),
    })
    .where("tenant_id", "=", row.tenant_id)
    .where("id", "=", row.id)
    .execute();
}

function conditionOf(row: ConditionRow): Condition {
  return {
    state: row.state,
    failureCount: row.failure_count,
    failingSinceMs: row.failing_since?.getTime() ?? null,
    probeAtMs: row.probe_at?.getTime() ?? null,
    probeCount: row.probe_count,
    notBeforeMs: row.not_before?.getTime() ?? null,
    rampPerSecond: row.ramp_per_second,
    rampSlowedAtMs: row.ramp_slowed_at?.getTime() ?? null,
  };
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
