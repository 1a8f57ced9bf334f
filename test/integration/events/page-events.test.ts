import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEventPage } from "../../../src/events/page-events.ts";
import type { EventCursor, EventRow } from "../../../src/events/read-events.ts";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant, event, notification } from "../rows.ts";

const EVENTS = 60_000;
const RARE_EVERY = 9_999;

const RARE = Array.from({ length: 7 }, (_each, index) => index * RARE_EVERY);

const numbersOf = (rows: EventRow[]): unknown[] =>
  rows.map(({ body }) => (JSON.parse(body.toString()) as { number: number }).number);

describe("a page of events of one kind", () => {
  let database: TestDatabase;
  let tenantId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    tenantId = (await buildTenant(database.db)).id;
    for (let from = 0; from < EVENTS; from += 5000) {
      const events = Array.from({ length: 5000 }, (_each, index) => {
        const rare = (from + index) % RARE_EVERY === 0;
        return event(tenantId, {
          type: rare ? "template.status_changed" : "message.received",
          phoneNumberId: rare ? "7" : "1",
          body: Buffer.from(`{"number":${from + index}}`),
        });
      });
      await writeNotifications(database.db, [notification(events)]);
    }
    await eventually(async () => (await walk({})).rows.length === EVENTS);
  });
  afterAll(() => database.drop());

  type Filter = Partial<Parameters<typeof readEventPage>[2]>;

  async function walk(filter: Filter): Promise<{ rows: EventRow[]; pages: number[] }> {
    const rows: EventRow[] = [];
    const pages: number[] = [];
    let after: EventCursor | undefined;
    do {
      const options = { limit: 200, among: null, ...filter, after };
      const page = await readEventPage(database.db, tenantId, options);
      rows.push(...page.rows);
      pages.push(page.rows.length);
      after = page.next;
    } while (after !== undefined);
    return { rows, pages };
  }

  it.each<[string, Filter]>([
    ["a type", { type: "template.status_changed" }],
    ["types that begin alike", { type: "template.*" }],
    ["a number", { phoneNumberId: "7" }],
    ["a token's numbers", { among: ["7", "8"] }],
  ])("is found whole and in order by %s, page after page", async (_name, filter) => {
    for (const limit of [1, 3, 200]) {
      const { rows } = await walk({ ...filter, limit });
      expect(numbersOf(rows)).toEqual(RARE);
    }
  });

  it("is full where there is enough, and none is there twice", async () => {
    const { rows, pages } = await walk({ type: "message.received" });
    expect(new Set(numbersOf(rows)).size).toBe(EVENTS - RARE.length);
    expect(pages.slice(0, -1).every((count) => count === 200)).toBe(true);
  });

  it("ends by itself where there is none", async () => {
    expect((await walk({ type: "flow.*" })).rows).toEqual([]);
  });
});
