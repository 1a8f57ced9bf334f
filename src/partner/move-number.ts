import { sql } from "kysely";
import { InvalidRequest } from "../errors.ts";
import { announceChange } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import { forgetHooks } from "../tenancy/hooks.ts";
import { apiKeySealContext, type PhoneNumberRow } from "../tenancy/phone-numbers.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { type CheckNumber, lockNumber } from "./numbers.ts";

/**
 * Gives a number to another tenant, with its key sealed anew, because a sealed key opens for its own
 * tenant only. What was sent and received stays with who sent and received it.
 * @throws {NotFound} when the number is gone; {InvalidRequest} for a tenant that is not there
 */
export async function moveNumberAsPartner(
  db: Database,
  number: Pick<PhoneNumberRow, "id">,
  options: { tenantId: string; sealer: Sealer; check: CheckNumber },
): Promise<PhoneNumberRow> {
  const { tenantId, sealer, check } = options;
  return db.transaction().execute(async (trx) => {
    const before = await lockNumber(trx, number.id);
    check(before);
    const tenant = await trx
      .selectFrom("tenant")
      .select("id")
      .where("id", "=", tenantId)
      .forKeyShare()
      .executeTakeFirst();
    if (tenant === undefined) {
      const detail = "/tenant_id is not the id of a tenant.";
      throw new InvalidRequest([{ code: "unknown_tenant", pointer: "/tenant_id", detail }]);
    }
    if (before.tenant_id === tenantId) {
      return before;
    }
    const { id, api_key_sealed: sealed } = before;
    const apiKey = sealed && sealer.open(sealed, apiKeySealContext(before));
    const moved = { id, tenant_id: tenantId };
    const row = await trx
      .updateTable("phone_number")
      .set({
        tenant_id: tenantId,
        api_key_sealed: apiKey && sealer.seal(apiKey, apiKeySealContext(moved)),
        // Its settings were the other tenant's; and what users wrote to that one is not known here.
        guards: sql`'{}'`,
        watched_since: sql`now()`,
      })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await trx
      .insertInto("number_move")
      .values({ tenant_id: before.tenant_id, number_id: id })
      .onConflict((conflict) =>
        conflict.columns(["tenant_id", "number_id"]).doUpdateSet({ moved_at: sql`now()` }),
      )
      .execute();
    await trx
      .deleteFrom("number_move")
      .where("tenant_id", "=", tenantId)
      .where("number_id", "=", id)
      .execute();
    await announceChange(trx, { kind: "tenant", key: before.tenant_id });
    await announceChange(trx, { kind: "tenant", key: tenantId });
    await forgetHooks(trx, id);
    return row;
  });
}
