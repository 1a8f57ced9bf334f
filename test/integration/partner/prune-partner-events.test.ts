import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prunePartnerEvents } from "../../../src/partner/hub-events/apply-partner-events.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

describe("a partner event", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it("goes when it is older than what is kept and has been applied, and not before", async () => {
    const { db } = database;
    const dayMs = 86_400_000;
    const event = (name: string, daysAgo: number, applied: boolean) => ({
      identity: Buffer.from(name),
      event: name,
      hub_client_id: null,
      channel_id: null,
      body: Buffer.from("{}"),
      failure: null,
      received_at: new Date(Date.now() - daysAgo * dayMs),
      applied_at: applied ? new Date() : null,
    });
    await db
      .insertInto("partner_event")
      .values([event("old", 31, true), event("waits", 31, false), event("young", 29, true)])
      .execute();
    await prunePartnerEvents(db, { before: new Date(Date.now() - 30 * dayMs) });
    const left = await db.selectFrom("partner_event").select("event").orderBy("event").execute();
    expect(left.map((row) => row.event)).toEqual(["waits", "young"]);
  });
});
