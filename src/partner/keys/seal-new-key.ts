import { sql } from "kysely";
import type { Secret } from "../../secret.ts";
import { announceChange } from "../../store/change-feed.ts";
import type { Database } from "../../store/database.ts";
import { apiKeySealContext } from "../../tenancy/phone-numbers.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import { lastFour, lockNumber } from "../numbers.ts";
import { endRejection } from "./key-rejections.ts";
import {
  type KeyRotationRow,
  type LeasedRotation,
  rotationInProgress,
  writeRotation,
} from "./rotations.ts";

/**
 * The new key is the number's from this commit on: calls that waited go with it, also those of a number
 * whose old key was refused. The gap is what they may have waited: since the rotation was opened.
 * @throws {ApiError} `rotation_in_progress` where another process has gone on, whose key is newer
 */
export async function sealNewKey(
  db: Database,
  leased: LeasedRotation,
  { apiKey, sealer, baseUrl }: { apiKey: Secret; sealer: Sealer; baseUrl: string | null },
): Promise<KeyRotationRow> {
  return db.transaction().execute(async (trx) => {
    const number = await lockNumber(trx, leased.rotation.number_id);
    const keyLast4 = lastFour(apiKey);
    const rotation = await writeRotation(trx, leased, {
      made_at: sql<Date>`clock_timestamp()`,
      gap_ms: sql<number>`(extract(epoch from clock_timestamp() - opened_at) * 1000)::int`,
      key_last4: keyLast4,
      code: null,
      detail: null,
    });
    if (rotation === undefined) {
      throw rotationInProgress();
    }
    await trx
      .updateTable("phone_number")
      .set({
        // For the tenant whose it is now: it may have moved since it was read.
        api_key_sealed: sealer.seal(apiKey, apiKeySealContext(number)),
        key_last4: keyLast4,
        key_made_at: sql<Date>`now()`,
        base_url: baseUrl,
        state: number.state === "suspended" ? "suspended" : "running",
      })
      .where("id", "=", number.id)
      .execute();
    await endRejection(trx, number);
    await announceChange(trx, { kind: "tenant", key: number.tenant_id });
    return rotation;
  });
}
