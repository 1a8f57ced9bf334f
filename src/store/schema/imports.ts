// What the partner does to many numbers at once.

import type { ColumnType, Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export interface ImportJobTable {
  id: string;
  dry_run: boolean;
  state: Generated<"receiving" | "running" | "finished" | "cut_off">;
  created_at: CreatedAt;
  active_at: Generated<Date>;
  finished_at: Date | null;
}

export interface ImportRowTable {
  import_id: string;
  line: number;
  tenant_external_id: string | null;
  phone_number_id: string | null;
  fields: ColumnType<Record<string, string> | null, string | null, string | null>;
  api_key_sealed: Buffer | null;
  state: "pending" | "imported" | "unchanged" | "valid" | "refused";
  code: string | null;
  detail: string | null;
  number_id: string | null;
  attempt_count: Generated<number>;
  begun: Generated<boolean>;
  due_at: Generated<Date>;
}
