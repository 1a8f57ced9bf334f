import type { Schemas } from "../../http/contract-types.ts";
import type { Database } from "../../store/database.ts";
import type { KeyRotationRow } from "./rotations.ts";

/** A number's, newest first; one more than `limit`. */
export async function listRotations(
  db: Database,
  numberId: string,
  page: { limit: number; after: string[] | undefined },
): Promise<KeyRotationRow[]> {
  return db
    .selectFrom("key_rotation")
    .selectAll()
    .where("number_id", "=", numberId)
    .$if(page.after !== undefined, (q) => q.where("id", "<", page.after?.[0] ?? ""))
    .orderBy("id", "desc")
    .limit(page.limit + 1)
    .execute();
}

/** Never with a key. */
export function presentRotation(row: KeyRotationRow): Schemas["KeyRotation"] {
  return {
    id: row.id,
    number_id: row.number_id,
    reason: row.reason,
    actor: row.actor,
    job_id: row.job_id,
    opened_at: row.opened_at.toISOString(),
    made_at: row.made_at?.toISOString() ?? null,
    closed_at: row.closed_at?.toISOString() ?? null,
    gap_ms: row.gap_ms,
    key_last4: row.key_last4,
    outcome: row.outcome,
    code: row.code,
    detail: row.detail,
    attempt_count: row.attempt_count,
  };
}
