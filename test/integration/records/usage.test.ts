import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { ownEvents } from "../../../src/inbox/own-events.ts";
import { split } from "../../../src/inbox/split.ts";
import { type ApplyEvents, startFollower } from "../../../src/records/follow-events.ts";
import { createApplyUsage, pruneUsageMessages } from "../../../src/records/usage/apply-usage.ts";
import { readUsage, readUsageAsPartner } from "../../../src/records/usage/read-usage.ts";
import type { Database } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant, notification } from "../rows.ts";
import { apply, followed, ODD_VALUES } from "./followed.ts";
import { simulateMonth, type SimulatedNotification } from "./simulated-month.ts";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterAll(() => database.drop());

const DAY_MS = 86_400_000;
const ALL = { limit: 10_000, after: undefined, among: null };

const usageAt = (iso: string): ApplyEvents => createApplyUsage(() => new Date(iso));

/** As the hook of the number does it. */
async function take(notifications: readonly SimulatedNotification[]): Promise<void> {
  for (const { tenantId, phoneNumberId, body } of notifications) {
    const owner = { tenantId, phoneNumberId, numberId: "num_1", wabaId: null };
    const events = await ownEvents(
      split(Buffer.from(JSON.stringify(body))),
      { ...owner, secretSha256: Buffer.alloc(32), formerTenantIds: [], expiresAt: null },
      { tenantsOfWaba: async () => [], sender: async () => undefined },
    );
    await writeNotifications(db, [notification(events)]);
  }
}

/** Follows what is there as a process would that lives on that day, fails now and then, and is ended. */
async function follow(now: Date): Promise<void> {
  let failures = 0;
  const failAtFirst: ApplyEvents = async () => {
    if (failures++ === 0) {
      throw Object.assign(new Error("restarted"), { code: "57P01" });
    }
  };
  const errors: unknown[] = [];
  const follower = startFollower({
    db,
    name: "usage",
    // The failure comes when the counts are written and not yet committed.
    apply: [createApplyUsage(() => now), failAtFirst],
    onError: (error) => errors.push(error),
  });
  try {
    await eventually(async () => {
      follower.poke();
      const last = await db
        .selectFrom("event")
        .select("seq")
        .orderBy("xid", "desc")
        .orderBy("seq", "desc")
        .limit(1)
        .executeTakeFirstOrThrow();
      const at = await db
        .selectFrom("follower")
        .select("seq")
        .where("name", "=", "usage")
        .executeTakeFirst();
      return at?.seq === last.seq;
    });
  } finally {
    await follower.stop();
  }
  expect(errors).toHaveLength(1);
}

describe("the usage", () => {
  it("of a month is what an independent count says, to the message", async () => {
    const tenantIds = [(await buildTenant(db)).id, (await buildTenant(db)).id];
    const firstDay = new Date(Math.floor(Date.now() / DAY_MS - 35) * DAY_MS);
    const month = simulateMonth({ tenantIds, firstDay, messagesADay: 40, seed: 5 });
    for (const [index, notifications] of month.days.entries()) {
      await take(notifications);
      await follow(new Date(firstDay.getTime() + (index + 1) * DAY_MS - 1));
    }
    const rows = await readUsageAsPartner(db, { ...ALL, tenantId: undefined });
    const counted = new Map(
      rows.map(({ messages, ...place }) => [JSON.stringify(place), messages]),
    );
    expect(month.expected.size).toBeGreaterThan(200);
    expect(counted).toEqual(month.expected);
    const total = rows.reduce((sum, { messages }) => sum + messages, 0);
    expect(total).toBe([...month.expected.values()].reduce((sum, count) => sum + count, 0));
    for (const tenantId of tenantIds) {
      const own = await readUsage(db, tenantId, ALL);
      expect(own).toEqual(rows.filter((row) => row.tenant_id === tenantId));
    }
  }, 60_000);

  it("of a frozen day does not change, and nothing is lost for it", async () => {
    const { id } = await buildTenant(db);
    const delivered = (wamid: string) =>
      followed(id, "message.status.delivered", {
        statuses: [{ id: wamid, timestamp: String(Date.UTC(2026, 0, 1, 12) / 1000) }],
      });
    await apply(db, usageAt("2026-01-01T13:00:00Z"), delivered("wamid.1"));
    await apply(db, usageAt("2026-01-09T00:00:00Z"), delivered("wamid.1"), delivered("wamid.2"));
    const days = (await readUsage(db, id, ALL)).map(({ day, messages }) => [day, messages]);
    expect(days).toEqual([
      ["2026-01-01", 1],
      ["2026-01-02", 1],
    ]);
  });

  it("stands when the messages behind it are forgotten", async () => {
    const { id } = await buildTenant(db);
    const statuses = [{ id: "wamid.3" }];
    const now = usageAt("2026-01-31T13:00:00Z");
    await apply(db, now, followed(id, "message.status.read", { statuses }));
    const rows = () =>
      db.selectFrom("usage_message").select("seen_at").where("tenant_id", "=", id).execute();
    await pruneUsageMessages(db);
    expect(await rows()).toHaveLength(1);
    await sql`
      update usage_message set seen_at = now() - interval '36 days' where tenant_id = ${id}`.execute(
      db,
    );
    await pruneUsageMessages(db);
    expect(await rows()).toEqual([]);
    expect(await readUsage(db, id, ALL)).toMatchObject([{ day: "2026-01-31", messages: 1 }]);
  });

  it("comes in pages that are the whole, also of some numbers and days", async () => {
    const { id } = await buildTenant(db);
    const now = usageAt("2026-01-31T13:00:00Z");
    const read = (phoneNumberId: string, day: number) =>
      followed(
        id,
        "message.status.read",
        { statuses: [{ id: `wamid.${day}`, timestamp: String(Date.UTC(2026, 0, day) / 1000) }] },
        { phoneNumberId },
      );
    await apply(db, now, ...[28, 29, 30].flatMap((day) => [read("101", day), read("102", day)]));
    const places = async (more: object) =>
      (await readUsage(db, id, { ...ALL, ...more })).map(
        ({ day, phone_number_id }) => `${day} ${phone_number_id}`,
      );
    expect(await places({})).toHaveLength(6);
    expect(await places({ from: "2026-01-29", to: "2026-01-30" })).toEqual([
      "2026-01-29 101",
      "2026-01-29 102",
    ]);
    expect(await places({ phoneNumberId: "102", limit: 1 })).toEqual([
      "2026-01-28 102",
      "2026-01-29 102",
    ]);
    expect(await places({ among: ["101"], to: "2026-01-29" })).toEqual(["2026-01-28 101"]);
    const after = [id, "2026-01-29", "102", "unknown", "ZZ", "outbound", "false"];
    expect(await places({ after })).toEqual(["2026-01-30 101", "2026-01-30 102"]);
  });

  it("is not troubled by what is not as Meta says, nor by a tenant that is gone", async () => {
    const { id } = await buildTenant(db);
    const now = createApplyUsage(() => new Date());
    const types = ["message.received", "message.status.delivered", "message.status.sent"];
    for (const tenantId of [id, "ten_gone"]) {
      const odd = ODD_VALUES.flatMap((value) =>
        types.map((type) => followed(tenantId, type, value)),
      );
      await apply(db, now, ...odd);
    }
    await apply(db, now, followed("ten_gone", "message.status.read", { statuses: [{ id: "1" }] }));
    expect(await readUsage(db, id, ALL)).toEqual([]);
    expect(await readUsage(db, "ten_gone", ALL)).toEqual([]);
  });
});
