import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEventsAsPartner } from "../../../src/events/read-events.ts";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import type { ApplyEvents } from "../../../src/records/follow-events.ts";
import { recordStatuses } from "../../../src/records/record-statuses.ts";
import { createApplyUsage } from "../../../src/records/usage/apply-usage.ts";
import { applyWindows } from "../../../src/records/windows.ts";
import type { OpenDatabase } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { openPlanned, rowsRead } from "../planned.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";
import { apply, followed, PHONE_NUMBER_ID } from "./followed.ts";

const MANY = 2000;
const AT_ONCE = 10;

const secondsAgo = (seconds: number) => String(Math.floor(Date.now() / 1000) - seconds);

const inbound = (tenantId: string, n: number) =>
  followed(tenantId, "message.text", {
    metadata: { phone_number_id: PHONE_NUMBER_ID },
    messages: [{ id: `wamid.in.${n}`, from: `49151${n}`, timestamp: secondsAgo(60), type: "text" }],
  });

const status = (tenantId: string, n: number) =>
  followed(tenantId, "message.status.delivered", {
    metadata: { phone_number_id: PHONE_NUMBER_ID },
    statuses: [
      {
        id: `wamid.out.${n}`,
        recipient_id: `49151${n}`,
        status: "delivered",
        timestamp: secondsAgo(60),
        pricing: { billable: true, pricing_model: "PMP", category: "marketing" },
      },
    ],
  });

const numbers = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) => from + n);

describe("what takes in and follows, planned while there is nothing", () => {
  let database: TestDatabase;
  let planned: OpenDatabase;
  let tenantId: string;
  const applyUsage = createApplyUsage(() => new Date());
  beforeAll(async () => {
    database = await createTestDatabase();
    planned = openPlanned(database);
    ({ id: tenantId } = await buildTenant(database.db));
    await buildEndpoint(database.db, tenantId);
  });
  afterAll(async () => {
    await planned.close();
    await database.drop();
  });

  /** How much is read of these tables by a little, after a little was planned for and much has come. */
  async function readOf(
    tables: readonly string[],
    work: (from: number, count: number) => Promise<unknown>,
  ): Promise<number> {
    await work(0, 1);
    await work(1, MANY);
    const before = await Promise.all(tables.map((table) => rowsRead(planned.db, table)));
    await work(1 + MANY, AT_ONCE);
    const after = await Promise.all(tables.map((table) => rowsRead(planned.db, table)));
    return after.reduce((sum, count, index) => sum + count - (before[index] ?? 0), 0);
  }

  const applied =
    (
      applyEvents: ApplyEvents,
      make: (tenantId: string, n: number) => ReturnType<typeof followed>,
    ) =>
    (from: number, count: number) =>
      apply(planned.db, applyEvents, ...numbers(from, count).map((n) => make(tenantId, n)));

  it("writes notifications without reading those that are there", async () => {
    const read = await readOf(["event", "event_identity", "delivery", "notification"], (_, count) =>
      writeNotifications(planned.db, [notification(numbers(0, count).map(() => event(tenantId)))]),
    );
    expect(read).toBeLessThan(10 * AT_ONCE);
  });

  it("opens windows, counts usage and keeps statuses without reading those that are there", async () => {
    for (let n = 0; n < MANY; n++) {
      await database.db
        .insertInto("tenant")
        .values({ id: `ten_other_${n}`, name: "Other", state: "active" })
        .execute();
    }
    const tables = [
      "tenant",
      "customer_service_window",
      "usage_message",
      "usage",
      "message_status",
    ];
    for (const work of [
      applied(applyWindows, inbound),
      applied(applyUsage, inbound),
      applied(applyUsage, status),
      applied(recordStatuses, status),
    ]) {
      expect(await readOf(tables, work)).toBeLessThan(10 * AT_ONCE);
    }
  });

  it("follows without reading what it has followed", async () => {
    await readEventsAsPartner(planned.db, { after: ["0", "0"], limit: 1, bytesMax: 1 });
    const { rows } = await readEventsAsPartner(planned.db, {
      after: ["0", "0"],
      limit: MANY,
      bytesMax: 1e9,
    });
    const last = rows.at(-1);
    expect(rows).toHaveLength(MANY);
    const before = await rowsRead(planned.db, "event");
    await readEventsAsPartner(planned.db, {
      after: [last?.xid ?? "", last?.seq ?? ""],
      limit: AT_ONCE,
      bytesMax: 1e9,
    });
    expect((await rowsRead(planned.db, "event")) - before).toBeLessThan(10 * AT_ONCE);
  });
});
