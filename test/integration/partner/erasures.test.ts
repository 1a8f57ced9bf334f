import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createErasures } from "../../../src/partner/erasure/erasures.ts";
import { putOptIn } from "../../../src/records/opt-ins.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildNumber, buildTenant, sealer } from "../rows.ts";

describe("an erasure", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it("is done once more a minute later for what was late, whatever becomes of others, and forgotten", async () => {
    const { db } = database;
    const errors: unknown[] = [];
    const erasures = createErasures({ db, sealer, onError: (error) => errors.push(error) });
    const { id: tenantId } = await buildTenant(db);
    const { phone_number_id: phoneNumberId } = await buildNumber(db, tenantId);
    const putOne = (user: string) =>
      putOptIn(db, tenantId, {
        phoneNumberId,
        user,
        source: "s",
        obtainedAt: new Date(0),
        proof: "p",
      });
    await putOne("15550001111");
    const erased = await erasures.erase(tenantId, { user: "15550001111", among: null });
    expect(erased).toMatchObject({ opt_ins: 1, events: 0 });
    const waiting = () => db.selectFrom("erasure").select("id").execute();
    await erasures.workOn();
    expect(await waiting()).toHaveLength(1);
    // Written behind: it was made before the erasure, and came after it.
    await putOne("15550001111");
    await sql`update opt_in set recorded_at = now() - interval '1 hour'`.execute(db);
    await putOne("15550002222");
    await sql`update erasure set asked_at = now() - interval '2 minutes'`.execute(db);
    await db
      .insertInto("erasure")
      .values({
        id: "era_0",
        tenant_id: tenantId,
        user_sealed: Buffer.of(1),
        phone_number_ids: null,
        asked_at: new Date(0),
      })
      .execute();
    await erasures.workOn();
    expect(errors).toHaveLength(1);
    expect(await waiting()).toEqual([{ id: "era_0" }]);
    const left = await db.selectFrom("opt_in").select("user_id").execute();
    expect(left).toEqual([{ user_id: "15550002222" }]);
  });
});
