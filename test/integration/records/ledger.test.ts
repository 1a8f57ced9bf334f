import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_TENANT } from "../../../src/events/no-tenant.ts";
import { writeNotifications, writeOwnEvent } from "../../../src/events/write-notifications.ts";
import { claimDeliveries } from "../../../src/fanout/claim.ts";
import { deleteEndpoint } from "../../../src/fanout/endpoints.ts";
import { replayDeliveries } from "../../../src/fanout/replay.ts";
import { settleDeliveries } from "../../../src/fanout/settle.ts";
import type { MissingDelivery } from "../../../src/records/ledger/count-events.ts";
import { countHours } from "../../../src/records/ledger/count-hours.ts";
import { type LedgerRow, readLedger } from "../../../src/records/ledger/read-ledger.ts";
import type { Database } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterAll(() => database.drop());

const HOUR_MS = 3_600_000;
const NUMBERS = ["101", "102"];
const DUE = { kind: "span", from: new Date(0), to: new Date("2200-01-01") } as const;

let clockMs = Date.now();

/** Hours later, when everything that was written is in a closed hour: counts it. */
async function countLater(options: { eventsAtOnce?: number } = {}): Promise<MissingDelivery[]> {
  clockMs += 30 * HOUR_MS;
  const now = new Date(clockMs);
  await sql`
    insert into xid_mark (at, xid) select ${now}, pg_snapshot_xmax(pg_current_snapshot())
  `.execute(db);
  // Until what any other transaction of the server holds back is over; the marks of the tests before,
  // which lie in the future, would close the hour too.
  await eventually(async () => {
    const settled = await sql`
      select from xid_mark
      where at = ${now} and xid <= pg_snapshot_xmin(pg_current_snapshot())`.execute(db);
    return settled.rows.length > 0;
  });
  const found: MissingDelivery[] = [];
  await countHours(db, {
    now,
    keptSince: new Date(0),
    onDrift: ({ missing }) => void found.push(...missing),
    ...options,
  });
  return found;
}

const read = (tenantId: string, options: Partial<Parameters<typeof readLedger>[2]> = {}) =>
  readLedger(db, tenantId, {
    limit: 1000,
    after: undefined,
    among: null,
    now: new Date(),
    ...options,
  });

const places = (rows: readonly LedgerRow[]) =>
  rows.map((row) => `${row.hour.toISOString()} ${row.endpoint_id} ${row.phone_number_id}`);

/** Over the hours that a test may have run in. */
function sumOf(rows: readonly LedgerRow[]) {
  const sum = (pick: (row: LedgerRow) => number) =>
    rows.reduce((total, row) => total + pick(row), 0);
  return {
    received: sum(({ received }) => received),
    delivered: sum(({ delivered }) => delivered),
    exhausted: sum(({ exhausted }) => exhausted),
    cancelled: sum(({ cancelled }) => cancelled),
    pending: sum(({ pending }) => pending),
    delivering: sum(({ delivering }) => delivering),
    filtered: sum(({ filtered }) => filtered),
    missing: sum(({ missing }) => missing),
  };
}

function expectBalance(rows: readonly LedgerRow[]): void {
  for (const row of rows) {
    const { received, ...states } = sumOf([row]);
    expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(received);
  }
}

const writeEvents = (tenantId: string, count: number) =>
  writeNotifications(db, [
    notification(
      Array.from({ length: count }, (_, n) =>
        event(tenantId, { phoneNumberId: NUMBERS[n % 2] ?? null }),
      ),
    ),
  ]);

async function settleSome(tenantId: string, state: "delivered" | "exhausted", count: number) {
  const { deliveries } = await claimDeliveries(database.inOneTrip, {
    deliveriesMax: count,
    tenantIds: [tenantId],
  });
  const at = { startedAt: new Date(), durationMs: 1, status: 200, answer: null };
  const attempt = { ...at, outcome: state, reason: "First attempt.", next: "Nothing more." };
  await settleDeliveries(
    db,
    deliveries.map((delivery) => ({ delivery, state, nextAttemptAt: null, attempt })),
  );
  return deliveries;
}

describe("the ledger", () => {
  it("balances for each endpoint and number, open and closed, whatever became of them", async () => {
    const { id } = await buildTenant(db);
    const all = await buildEndpoint(db, id, { max_in_flight: 100 });
    const some = await buildEndpoint(db, id, { phone_number_ids: ["101"] });
    const paused = await buildEndpoint(db, id, {}, { state: "paused" });
    await writeEvents(id, 20);
    const late = await buildEndpoint(db, id);
    await settleSome(id, "delivered", 8);
    await settleSome(id, "exhausted", 5);
    await claimDeliveries(database.inOneTrip, { deliveriesMax: 2, tenantIds: [id] });
    await deleteEndpoint(db, id, { endpointId: some.id, among: null });

    const check = (rows: LedgerRow[]) => {
      expectBalance(rows);
      const of = (endpointId: string) =>
        sumOf(rows.filter(({ endpoint_id }) => endpoint_id === endpointId));
      expect(of(all.id)).toMatchObject({ received: 20, filtered: 0, missing: 0 });
      expect(of(some.id)).toMatchObject({ received: 20, filtered: 10, missing: 0, pending: 0 });
      expect(of(some.id).cancelled).toBeGreaterThan(0);
      expect(of(paused.id)).toMatchObject({ received: 20, pending: 20 });
      expect(of(late.id)).toMatchObject({ received: 0 });
      const total = sumOf(rows);
      expect(total).toMatchObject({ delivered: 8, exhausted: 5, missing: 0 });
      return total;
    };
    const open = await eventually(async () => {
      const rows = await read(id);
      return sumOf(rows).received === 60 && rows;
    });
    const before = check(open);
    expect(await countLater({ eventsAtOnce: 7 })).toEqual([]);
    expect(check(await read(id))).toEqual(before);
    expect(await read(id, { among: ["103"] })).toEqual([]);
    const one = await read(id, { endpointId: all.id, phoneNumberId: "102" });
    expect(sumOf(one).received).toBe(10);
    expect(await read((await buildTenant(db)).id)).toEqual([]);
  });

  it("gives every row once, page by page", async () => {
    // The hour that the tests before have closed is open again.
    await db.deleteFrom("ledger_hour").execute();
    const { id } = await buildTenant(db);
    await buildEndpoint(db, id);
    await buildEndpoint(db, id);
    await writeEvents(id, 4);
    const whole = await eventually(async () => {
      const rows = await read(id);
      return sumOf(rows).received === 8 && rows;
    });
    for (const counted of [false, true]) {
      if (counted) {
        await countLater();
      }
      const paged: LedgerRow[] = [];
      let after: string[] | undefined;
      do {
        const page: LedgerRow[] = (await read(id, { limit: 1, after })).slice(0, 1);
        paged.push(...page);
        const [row] = page;
        after = row && [row.hour.toISOString(), row.endpoint_id, row.phone_number_id];
      } while (after !== undefined);
      expect(places(paged)).toEqual(places(whole));
    }
  });

  it("takes a changed filter and a repeat for what they are", async () => {
    const { id } = await buildTenant(db);
    const endpoint = await buildEndpoint(db, id, { phone_number_ids: ["101"] });
    const [one, other] = [event(id, { phoneNumberId: "101" }), event(id, { phoneNumberId: "102" })];
    await writeNotifications(db, [notification([one, other])]);
    await writeNotifications(db, [notification([one, other])]);
    await db
      .updateTable("webhook_endpoint")
      .set({ phone_number_ids: ["102"] })
      .where("id", "=", endpoint.id)
      .execute();
    await writeEvents(id, 2);
    expect(await countLater()).toEqual([]);
    const rows = await read(id);
    expectBalance(rows);
    expect(sumOf(rows)).toMatchObject({ received: 4, pending: 2, filtered: 2, missing: 0 });
  });

  it("counts what notifications bring of a number, once, though nobody receives it, and forgets it", async () => {
    // The hour that the tests before have closed is open again.
    await db.deleteFrom("ledger_hour").execute();
    const { id } = await buildTenant(db);
    await writeEvents(id, 5);
    await db
      .transaction()
      .execute((trx) => writeOwnEvent(trx, event(id, { phoneNumberId: "101" })));
    const longAgo = { tenant_id: id, phone_number_id: "101", hour: new Date(0), events: 99 };
    await db.insertInto("traffic").values(longAgo).execute();
    const readTraffic = () =>
      sql`select phone_number_id, sum(events)::int as events from traffic
        where tenant_id = ${id} group by 1 order by 1`.execute(db);
    for (const _ of ["first", "again"]) {
      await countLater({ eventsAtOnce: 2 });
      expect((await readTraffic()).rows).toEqual([
        { phone_number_id: "101", events: 3 },
        { phone_number_id: "102", events: 2 },
      ]);
    }
  });

  it("is counted again while something is live, and after a replay", async () => {
    const { id } = await buildTenant(db);
    await buildEndpoint(db, id, { max_in_flight: 100 });
    await writeEvents(id, 6);
    await countLater();
    expect(sumOf(await read(id))).toMatchObject({ pending: 6 });
    await settleSome(id, "exhausted", 6);
    await countLater();
    expect(sumOf(await read(id))).toMatchObject({ exhausted: 6, pending: 0 });
    await replayDeliveries(db, id, { wish: DUE, among: null, retentionMs: HOUR_MS });
    // The replay's time has microseconds, which one of milliseconds just after may be before.
    const now = new Date(Date.now() + 1000);
    await countHours(db, { now, keptSince: new Date(0), onDrift: () => {} });
    expect(sumOf(await read(id))).toMatchObject({ exhausted: 0, pending: 6 });
  });

  it("names the one delivery that was lost among 100,000, once, and tells the partner", async () => {
    const { id } = await buildTenant(db);
    const endpoints = [];
    for (let n = 0; n < 50; n++) {
      endpoints.push(await buildEndpoint(db, id, { max_in_flight: 1000 }));
    }
    for (let batch = 0; batch < 20; batch++) {
      await writeEvents(id, 100);
    }
    await settleSome(id, "delivered", 500);
    const lost = await db
      .selectFrom("delivery")
      .selectAll()
      .where("tenant_id", "=", id)
      .where("endpoint_id", "=", endpoints[3]?.id ?? "")
      .where("state", "=", "pending")
      .offset(717)
      .limit(1)
      .executeTakeFirstOrThrow();
    await db
      .deleteFrom("delivery")
      .where("event_id", "=", lost.event_id)
      .where("endpoint_id", "=", lost.endpoint_id)
      .execute();

    const missing = await countLater();
    expect(missing).toMatchObject([
      { tenant_id: id, endpoint_id: lost.endpoint_id, event_id: lost.event_id },
    ]);
    expect(NUMBERS).toContain(missing[0]?.phone_number_id);
    const rows = await read(id);
    expectBalance(rows);
    expect(sumOf(rows)).toMatchObject({ received: 100_000, missing: 1 });
    expect(await countLater()).toEqual([]);

    const alerts = await db
      .selectFrom("event")
      .selectAll()
      .where("type", "=", "alert.ledger_drift")
      .execute();
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.tenant_id).toBe(NO_TENANT);
    expect(alerts[0]?.body.toString()).toContain(lost.event_id);
  }, 60_000);
});
