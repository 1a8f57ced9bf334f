import { type Selectable, sql } from "kysely";
import type { DatabaseTransaction } from "../store/database.ts";
import type { WebhookEndpointTable } from "../store/schema/fanout.ts";
import { RAMP_START_PER_SECOND } from "./condition.ts";

/**
 * Nothing goes to it until it is active again, and meanwhile no delivery's horizon runs. What waits
 * for it is `held` by that alone: no row of it is touched.
 */
export async function stopEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  options: { endpointId: string; state: "disabled" | "paused" },
): Promise<void> {
  await trx
    .updateTable("webhook_endpoint")
    .set({
      state: options.state,
      stopped_at: sql`coalesce(stopped_at, now())`,
      probe_at: null,
    })
    .where("tenant_id", "=", tenantId)
    .where("id", "=", options.endpointId)
    .execute();
}

/**
 * Whatever state it was in. What it failed before is forgotten, so that its next failure is a first
 * one; what was held for it comes gently.
 */
export async function activateEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  endpointId: string,
): Promise<void> {
  await trx
    .updateTable("webhook_endpoint")
    .set({
      state: "active",
      stopped_ms: sql`stopped_ms + ${SINCE_STOPPED_MS}`,
      stopped_at: null,
      failure_count: 0,
      failing_since: null,
      probe_at: null,
      probe_count: 0,
      not_before: null,
      ramp_per_second: RAMP_START_PER_SECOND,
      ramp_slowed_at: null,
    })
    .where("tenant_id", "=", tenantId)
    .where("id", "=", endpointId)
    .where("state", "!=", "active")
    // The partner has suspended the tenant: only the partner ends that.
    .where("suspended_from", "is", null)
    .execute();
}

/**
 * Another URL or another secret is another chance: what failed before says nothing of it. One that is
 * held is resumed; what its tenant has paused, or 410 disabled, stays so. The row must be locked.
 */
export async function forgetFailures(
  trx: DatabaseTransaction,
  row: Selectable<WebhookEndpointTable>,
): Promise<Selectable<WebhookEndpointTable>> {
  if (row.state === "held") {
    await activateEndpoint(trx, row.tenant_id, row.id);
  }
  return trx
    .updateTable("webhook_endpoint")
    .set({ failure_count: 0, failing_since: null, not_before: null })
    .where("tenant_id", "=", row.tenant_id)
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** How long an endpoint (`stopped_at`) has been stopped this time, milliseconds. */
export const SINCE_STOPPED_MS = sql<string>`
  coalesce((extract(epoch from now() - stopped_at) * 1000)::bigint, 0)`;

/** What a delivery takes along when it finishes. */
export const MOVED_COLUMNS = sql.raw(
  [
    "tenant_id",
    "event_xid",
    "event_seq",
    "endpoint_id",
    "id",
    "event_id",
    "event_received_at",
    "conversation",
    "replayed_at",
    "attempts_before_replay",
    "attempt_count",
    "created_at",
  ].join(", "),
);
