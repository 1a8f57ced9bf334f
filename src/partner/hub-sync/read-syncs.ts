import { type Selectable, sql } from "kysely";
import { NotFound } from "../../errors.ts";
import type { Schemas } from "../../http/contract-types.ts";
import { newId } from "../../ids.ts";
import type { Database } from "../../store/database.ts";
import type { HubSyncTable, MatchRule } from "../../store/schema/hub-sync.ts";
import type { HubDifferenceRow } from "./apply.ts";

type HubSyncRow = Selectable<HubSyncTable>;

export async function insertHubSync(
  db: Database,
  rules: readonly MatchRule[],
): Promise<HubSyncRow> {
  return db
    .insertInto("hub_sync")
    .values({ id: newId("syn"), rules: JSON.stringify(rules) })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** @throws {NotFound} */
export async function getHubSync(db: Database, syncId: string): Promise<HubSyncRow> {
  const row = await db
    .selectFrom("hub_sync")
    .selectAll()
    .where("id", "=", syncId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new NotFound();
  }
  return row;
}

/** In the order in which they were found. */
export async function listDifferences(
  db: Database,
  syncId: string,
  page: { limit: number; after: string[] | undefined; kind: string | undefined },
): Promise<HubDifferenceRow[]> {
  return db
    .selectFrom("hub_difference")
    .selectAll()
    .where("sync_id", "=", syncId)
    .$if(page.after !== undefined, (q) => q.where("seq", ">", page.after?.[0] ?? ""))
    .$if(page.kind !== undefined, (q) => q.where(sql<string>`kind`, "=", page.kind ?? ""))
    .orderBy("seq")
    .limit(page.limit + 1)
    .execute();
}

export async function presentHubSync(db: Database, row: HubSyncRow): Promise<Schemas["HubSync"]> {
  const { count } = await db
    .selectFrom("hub_difference")
    .select(sql<number>`count(*)::int`.as("count"))
    .where("sync_id", "=", row.id)
    .executeTakeFirstOrThrow();
  return {
    id: row.id,
    state: row.state,
    rules: row.rules,
    channels: row.channels,
    differences: count,
    failure: row.failure,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}

export function presentDifference(row: HubDifferenceRow): Schemas["HubDifference"] {
  return {
    id: row.id,
    kind: row.kind,
    channel_id: row.channel_id,
    client_id: row.hub_client_id,
    client_name: row.client_name,
    number_id: row.number_id,
    tenant_id: row.matched_tenant_id,
    rule: row.rule,
    // The contract's name of the column.
    field: row.field === "hub_client_id" ? "client_id" : row.field,
    here: row.here,
    there: row.there,
    applied_at: row.applied_at?.toISOString() ?? null,
  };
}
