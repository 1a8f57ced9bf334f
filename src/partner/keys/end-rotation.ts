import { sql } from "kysely";
import type { ApiError } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import { auditJob } from "../audit/record-audit.ts";
import {
  announceRotation,
  type KeyRotationRow,
  type LeasedRotation,
  writeRotation,
} from "./rotations.ts";

/** Doubled with each attempt: 2 s, 4 s … 128 s, then it has failed. */
const RETRY_AFTER_SECONDS = 2;
const ATTEMPTS_MAX = 8;
const PASSING: readonly string[] = ["upstream_unreachable", "overloaded"];

/** Closes a rotation; `undefined` where another process has gone on with it. */
export async function closeRotation(
  db: Database,
  leased: LeasedRotation,
  end: { outcome: NonNullable<KeyRotationRow["outcome"]>; code?: string; detail?: string },
): Promise<KeyRotationRow | undefined> {
  const { outcome, code = null, detail = null } = end;
  return db.transaction().execute(async (trx) => {
    const closed = await writeRotation(trx, leased, {
      closed_at: sql<Date>`clock_timestamp()`,
      outcome,
      code,
      detail,
    });
    if (closed === undefined) {
      return undefined;
    }
    const { number_id, id, reason, attempt_count } = closed;
    if (code === "address_not_allowed") {
      // A healing would fail in the same way, until an operator allows the address.
      const rejection = trx.updateTable("key_rejection").set({ heal_at: null });
      await rejection.where("number_id", "=", number_id).execute();
    }
    // A call's own entries tell of what it has done itself.
    if (reason !== "manual" || attempt_count > 1) {
      await auditJob(trx, "rotate_key", {
        target: { number_id, rotation_id: id },
        before: null,
        after: { state: outcome },
      });
    }
    await announceRotation(trx, number_id);
    return closed;
  });
}

/**
 * An attempt has failed. What passes is tried again, and until then calls go with the key that there is;
 * anything else closes the rotation with its reason.
 */
export async function setBackRotation(
  db: Database,
  leased: LeasedRotation,
  error: ApiError,
): Promise<void> {
  const { rotation } = leased;
  const reason = { code: error.errors?.[0]?.code ?? error.code, detail: error.message };
  if (!PASSING.includes(error.code) || rotation.attempt_count >= ATTEMPTS_MAX) {
    const outcome = rotation.made_at === null ? "failed" : "webhook_not_set";
    await closeRotation(db, leased, { outcome, ...reason });
    return;
  }
  const seconds = RETRY_AFTER_SECONDS * 2 ** (rotation.attempt_count - 1);
  await db.transaction().execute(async (trx) => {
    const retry_at = sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`;
    await writeRotation(trx, leased, { ...reason, retry_at, lease: null, leased_until: null });
    await announceRotation(trx, rotation.number_id);
  });
}
