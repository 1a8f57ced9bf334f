// The watch over numbers, and the comparison with 360dialog's list of channels.

import type { ColumnType, Generated, GeneratedAlways } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export interface NumberWatchTable {
  number_id: string;
  due_at: Date;
}

/** How a channel's client is taken for a tenant; the first that finds one decides. */
export type MatchRule =
  { by: "client_id" } | { by: "external_id" } | { by: "name"; pattern: string };

export interface HubSyncTable {
  id: string;
  rules: ColumnType<MatchRule[], string, never>;
  state: Generated<"running" | "finished" | "failed">;
  stage: Generated<"channels" | "numbers">;
  next_offset: Generated<number>;
  next_number_id: Generated<string>;
  channels: Generated<number>;
  failed_count: Generated<number>;
  due_at: Generated<Date>;
  failure: string | null;
  created_at: CreatedAt;
  finished_at: Date | null;
}

export interface HubSyncSeenTable {
  sync_id: string;
  number_id: string;
}

export interface HubDifferenceTable {
  sync_id: string;
  id: string;
  seq: GeneratedAlways<string>;
  kind: "channel_unknown" | "channel_gone" | "field_differs";
  channel_id: string;
  hub_client_id: string | null;
  client_name: string | null;
  number_id: string | null;
  matched_tenant_id: string | null;
  rule: string | null;
  field: string | null;
  here: string | null;
  there: string | null;
  applied_at: Date | null;
}
