import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries } from "../../../src/fanout/claim.ts";
import { dropOld } from "../../../src/fanout/drop-old.ts";
import { changeEndpoints } from "../../../src/fanout/endpoints.ts";
import { cancelStragglers } from "../../../src/fanout/stragglers.ts";
import { createLog } from "../../../src/log.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

describe("deliveries that nobody would look at again", () => {
  let database: TestDatabase;
  let tenantId: string;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    await database.db.deleteFrom("delivery").execute();
    ({ id: tenantId } = await buildTenant(database.db));
  });
  afterAll(() => database.drop());

  const write = (conversation: Buffer | null = null): Promise<unknown> =>
    writeNotifications(database.db, [notification([event(tenantId, { conversation })])]);

  const live = async (): Promise<string[]> => {
    const rows = await database.db.selectFrom("delivery").select("endpoint_id").execute();
    return rows.map((row) => row.endpoint_id).toSorted();
  };

  it("are cancelled where their endpoint is gone, and only there", async () => {
    const endpoints = [];
    for (let count = 0; count < 4; count++) {
      endpoints.push((await buildEndpoint(database.db, tenantId)).id);
    }
    await write();
    await write();
    const gone = endpoints.filter((_, index) => index % 2 === 0);
    // As when the deletion committed while the notification was being written.
    await changeEndpoints(database.db, tenantId, async (trx) => {
      await trx.deleteFrom("webhook_endpoint").where("id", "in", gone).execute();
    });
    await cancelStragglers(database.db);
    const kept = endpoints.filter((id) => !gone.includes(id));
    expect(await live()).toEqual([...kept, ...kept].toSorted());
    const finished = await database.db
      .selectFrom("delivery_finished")
      .select(["endpoint_id", "state"])
      .where("tenant_id", "=", tenantId)
      .execute();
    expect(finished.map((row) => row.endpoint_id).toSorted()).toEqual(
      [...gone, ...gone].toSorted(),
    );
    expect(new Set(finished.map(({ state }) => state))).toEqual(new Set(["cancelled"]));
  });

  it("are due once what they were put off behind is too old to be kept", async () => {
    await buildEndpoint(database.db, tenantId, { ordering: "conversation" });
    const conversation = createHash("sha256").update("a user").digest();
    await write(conversation);
    await write(conversation);
    const [first] = (await claimDeliveries(database.inOneTrip, { deliveriesMax: 10 })).deliveries;
    const before = new Date(Date.now() - 86_400_000);
    // By the marks nothing of this database is that old.
    await database.db.deleteFrom("xid_mark").execute();
    await database.db
      .updateTable("delivery")
      .set({ event_received_at: new Date(before.getTime() - 1), state: "pending" })
      .where("id", "=", first?.id ?? "")
      .execute();
    const log = createLog({ level: "silent", format: "json", destination: { write() {} } });
    await dropOld({ db: database.db, log }, { before });
    const { deliveries } = await claimDeliveries(database.inOneTrip, { deliveriesMax: 10 });
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0]?.id).not.toBe(first?.id);
  });
});
