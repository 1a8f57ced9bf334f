// Numbers' keys: how they are changed, one or many, and those that 360dialog refuses.

import type { Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export type KeyRotationReason = "manual" | "many" | "schedule" | "healing" | "given";

export interface KeyRotationTable {
  id: string;
  number_id: string;
  reason: KeyRotationReason;
  actor: string | null;
  job_id: string | null;
  opened_at: Generated<Date>;
  made_at: Date | null;
  closed_at: Date | null;
  gap_ms: number | null;
  key_last4: string | null;
  outcome: "rotated" | "webhook_not_set" | "failed" | null;
  code: string | null;
  detail: string | null;
  attempt_count: Generated<number>;
  lease: string | null;
  leased_until: Date | null;
  retry_at: Date | null;
}

export interface KeyRejectionTable {
  number_id: string;
  rejected_at: Generated<Date>;
  told_at: Date | null;
  heal_count: Generated<number>;
  heal_at: Generated<Date | null>;
}

export interface KeyJobTable {
  id: string;
  reason: "many" | "schedule";
  actor: string | null;
  per_minute: number;
  dry_run: boolean;
  state: Generated<"running" | "stopped" | "finished">;
  created_at: CreatedAt;
  finished_at: Date | null;
  next_at: Generated<Date>;
}

export interface KeyJobNumberTable {
  job_id: string;
  number_id: string;
  state: Generated<"pending" | "rotating" | "rotated" | "failed" | "valid">;
  rotation_id: string | null;
  code: string | null;
  detail: string | null;
  due_at: Generated<Date>;
}

export interface KeyScheduleTable {
  only_one: Generated<boolean>;
  every_days: number | null;
  per_minute: Generated<number>;
  look_at: Generated<Date>;
}
