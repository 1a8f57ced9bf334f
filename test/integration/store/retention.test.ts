import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries } from "../../../src/fanout/claim.ts";
import { exhaustOldDeliveries, hasLiveDeliveries } from "../../../src/fanout/exhaust-old.ts";
import { Secret } from "../../../src/secret.ts";
import { openDatabase, type OpenDatabase } from "../../../src/store/database.ts";
import { dropOldPartitions } from "../../../src/store/retention.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { makeDay } from "../../support/make-day.ts";
import { rowsRead } from "../planned.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

let database: TestDatabase;
let other: OpenDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  other = openDatabase({ url: new Secret(database.url), onIdleError: () => {} });
});
afterAll(async () => {
  await other.close();
  await database.drop();
});

const PARENTS = [
  "attempt",
  "delivery_finished",
  "event",
  "message",
  "message_status",
  "notification",
];
const nobody = async () => false;
const events = async ({ parent }: { parent: string }) => parent === "event";

const at = (day: string) => new Date(`${day}T00:00:00Z`);
const nameOn = (day: string) => (parent: string) => `${parent}_${day.replaceAll("-", "")}`;

async function makeDays(...days: string[]): Promise<void> {
  for (const day of days) {
    for (const parent of PARENTS) {
      await makeDay(database.db, parent, day);
    }
  }
}

async function tablesOn(day: string): Promise<string[]> {
  const { rows } = await sql<{ relname: string }>`
    select relname from pg_class where relkind = 'r'
      and relname like ${`%_${day.replaceAll("-", "")}`} order by relname`.execute(database.db);
  return rows.map(({ relname }) => relname);
}

describe("days that are past their retention", () => {
  it("are dropped whole, of every table by day, and no later one", async () => {
    await makeDays("2020-01-01", "2020-01-02");
    const before = new Date("2020-01-02T12:00:00Z");
    const dropped = await dropOldPartitions(database.db, { before, isNeeded: nobody });
    expect(dropped.toSorted()).toEqual(PARENTS.map(nameOn("2020-01-01")));
    expect(await tablesOn("2020-01-01")).toEqual([]);
    expect(await tablesOn("2020-01-02")).toEqual(PARENTS.map(nameOn("2020-01-02")));
    await dropOldPartitions(database.db, { before: at("2020-01-03"), isNeeded: nobody });
    expect(await tablesOn("2020-01-02")).toEqual([]);
  });

  it("stay while something needs them", async () => {
    await makeDays("2020-02-01");
    await dropOldPartitions(database.db, { before: at("2020-02-02"), isNeeded: events });
    expect(await tablesOn("2020-02-01")).toEqual(["event_20200201"]);
    await dropOldPartitions(database.db, { before: at("2020-02-02"), isNeeded: nobody });
  });

  it("are dropped by one process at a time, and what a cut run left by the next", async () => {
    await makeDays("2020-03-01");
    await sql`alter table event detach partition event_20200301`.execute(database.db);
    const options = { before: at("2020-03-02"), isNeeded: nobody };
    const both = await Promise.all([
      dropOldPartitions(database.db, options),
      dropOldPartitions(other.db, options),
    ]);
    expect(both.flat().toSorted()).toEqual(PARENTS.map(nameOn("2020-03-01")));
    expect(await tablesOn("2020-03-01")).toEqual([]);
  });

  it("do not keep a notification waiting, though a reader keeps the drop waiting", async () => {
    await makeDays("2020-04-01");
    const { id } = await buildTenant(database.db);
    const reading = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const reader = other.db.transaction().execute(async (trx) => {
      await trx.selectFrom("event").select("id").execute();
      reading.resolve();
      await mayEnd.promise;
    });
    await reading.promise;
    const dropping = dropOldPartitions(database.db, {
      before: at("2020-04-02"),
      isNeeded: nobody,
    });
    const startedMs = performance.now();
    for (let round = 0; round < 20; round++) {
      await writeNotifications(other.db, [notification([event(id)])]);
    }
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(await tablesOn("2020-04-01")).toContain("event_20200401");
    mayEnd.resolve();
    await reader;
    expect(await dropping).toHaveLength(PARENTS.length);
  });
});

describe("a delivery that waits past the retention", () => {
  it("is exhausted, and its event may go; what is under way keeps it", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    await buildEndpoint(database.db, tenantId, { max_in_flight: 1 });
    const seven = Array.from({ length: 7 }, () => event(tenantId));
    await writeNotifications(database.db, [notification(seven)]);
    await claimDeliveries(database.inOneTrip, { deliveriesMax: 1, tenantIds: [tenantId] });
    const span = { from: new Date(0), to: new Date("2200-01-01") };

    const exhaust = (before: Date) => exhaustOldDeliveries(database.db, { before, batchMax: 3 });
    expect(await exhaust(new Date(0))).toBe(0);
    const all = await exhaust(span.to);
    expect(all).toBeGreaterThanOrEqual(6);
    const finished = await database.db
      .selectFrom("delivery_finished")
      .select(["state", "reason", "attempt_count"])
      .where("tenant_id", "=", tenantId)
      .execute();
    expect(finished).toEqual(
      Array.from({ length: 6 }, () => ({
        state: "exhausted",
        reason: "retention",
        attempt_count: 0,
      })),
    );
    expect(await hasLiveDeliveries(database.db, span)).toBe(true);
    expect(await hasLiveDeliveries(database.db, { ...span, to: new Date(1) })).toBe(false);
  });

  it("is found without reading those that wait for less", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    await buildEndpoint(database.db, tenantId);
    const write = (count: number): Promise<unknown> =>
      writeNotifications(database.db, [
        notification(Array.from({ length: count }, () => event(tenantId))),
      ]);
    await write(5);
    const before = new Date();
    await database.db
      .updateTable("delivery")
      .set({ event_received_at: new Date(before.getTime() - 1) })
      .where("tenant_id", "=", tenantId)
      .execute();
    // The mark of a minute after, by which readers find where a span of time ends.
    await sql`insert into xid_mark (at, xid)
      values (${before}::timestamptz + interval '2 minutes', pg_current_xact_id())`.execute(
      database.db,
    );
    for (let round = 0; round < 10; round++) {
      await write(2000);
    }
    const own = openDatabase({
      url: new Secret(database.url),
      connectionsMax: 1,
      onIdleError: () => {},
    });
    const readBefore = await rowsRead(own.db, "delivery");
    expect(await exhaustOldDeliveries(own.db, { before })).toBe(5);
    expect((await rowsRead(own.db, "delivery")) - readBefore).toBeLessThan(300);
    await own.close();
  });
});
