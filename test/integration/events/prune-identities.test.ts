import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pruneIdentities } from "../../../src/events/prune-identities.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { identity } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

describe("identities that nobody has seen for seven days", () => {
  it("are forgotten in the course of a day, a part a minute; others are not", async () => {
    const now = new Date("2025-06-15T00:00:00Z");
    const old = new Date(now.getTime() - 7 * DAY_MS - 1);
    const rows = Array.from({ length: 3000 }, (_, index) => ({
      identity: identity(String(index)),
      seen_at: index % 2 === 0 ? old : now,
    }));
    await database.db.insertInto("event_identity").values(rows).execute();

    const perHour: number[] = [];
    for (let hour = 0; hour < 24; hour++) {
      const partsOfDay = { from: hour * 60, to: hour * 60 + 60 };
      perHour.push(await pruneIdentities(database.db, { now, partsOfDay }));
    }
    expect(perHour.reduce((sum, count) => sum + count, 0)).toBe(1500);
    expect(Math.max(...perHour)).toBeLessThan(300);
    const left = await database.db.selectFrom("event_identity").selectAll().execute();
    expect(left).toHaveLength(1500);

    const later = new Date(now.getTime() + 8 * DAY_MS + 17 * MINUTE_MS);
    expect(await pruneIdentities(database.db, { now: later })).toBeLessThan(1500);
    const partsOfDay = { from: 0, to: 1440 };
    await pruneIdentities(database.db, { now: later, partsOfDay });
    expect(await database.db.selectFrom("event_identity").selectAll().execute()).toEqual([]);
  });
});
