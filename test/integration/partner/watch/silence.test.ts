import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../../src/events/write-notifications.ts";
import {
  checkSilence,
  clearSilence,
  isSilent,
  readTraffic,
  SILENT_HOURS,
  USUAL_EVENTS,
  WEEKS,
} from "../../../../src/partner/watch/silence.ts";
import type { PhoneNumberRow } from "../../../../src/tenancy/phone-numbers.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { buildNumber, buildTenant, event, notification } from "../../rows.ts";

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
// Half past: the hour that is not over yet is not judged.
const NOW = new Date("2026-03-18T14:30:00Z");

let database: TestDatabase;
let number: PhoneNumberRow;
beforeAll(async () => {
  database = await createTestDatabase();
  for (let week = 0; week <= WEEKS; week++) {
    await openDay(new Date(NOW.getTime() - week * WEEK_MS));
  }
});
afterAll(() => database.drop());

/** The ledger lies in a partition a day; the clock of these tests is not today's. */
async function openDay(day: Date): Promise<void> {
  const from = day.toISOString().slice(0, 10);
  const name = `ledger_test_${from.replaceAll("-", "")}`;
  const to = new Date(Date.parse(from) + 24 * HOUR_MS).toISOString().slice(0, 10);
  await sql`create table ${sql.table(name)} partition of ledger
    for values from (${sql.lit(`${from}T00:00:00Z`)}) to (${sql.lit(`${to}T00:00:00Z`)})`.execute(
    database.db,
  );
}

beforeEach(async () => {
  await database.db.deleteFrom("ledger").execute();
  await database.db.deleteFrom("ledger_hour").execute();
  number = await buildNumber(database.db, (await buildTenant(database.db)).id);
});

/** The last whole hours before now, or before the same time some weeks earlier: counted, with so much in them. */
async function count(weeksAgo: number, received: number, passes = [1, 1, 1]): Promise<void> {
  const end = Math.floor(NOW.getTime() / HOUR_MS) * HOUR_MS - weeksAgo * WEEK_MS;
  for (let back = 1; back <= SILENT_HOURS; back++) {
    const hour = new Date(end - back * HOUR_MS);
    const pass = passes[back - 1] ?? 0;
    await database.db.insertInto("ledger_hour").values({ hour, pass }).execute();
    if (received > 0 && back === 1) {
      const zero = { filtered: 0, delivered: 0, exhausted: 0, cancelled: 0, pending: 0 };
      const of = { tenant_id: number.tenant_id, phone_number_id: number.phone_number_id };
      await database.db
        .insertInto("ledger")
        .values({
          ...zero,
          ...of,
          hour,
          pass,
          received,
          delivering: 0,
          missing: 0,
          endpoint_id: "e",
        })
        .execute();
    }
  }
}

const usual = async (received = USUAL_EVENTS): Promise<void> => {
  for (let week = 1; week <= WEEKS; week++) {
    await count(week, received);
  }
};

const alerts = () =>
  database.db
    .selectFrom("alert")
    .select(["kind", "cleared_at"])
    .where("number_id", "=", number.id)
    .execute();

const check = () => checkSilence(database.db, number, { now: NOW });

describe("silence", () => {
  it("is an alert where in each of three weeks something came in these hours", async () => {
    await usual();
    await count(0, 0);
    await check();
    await check();
    expect(await alerts()).toEqual([{ kind: "silence", cleared_at: null }]);
  });

  it("is none when something has come, however little", async () => {
    await usual();
    await count(0, 1);
    await check();
    expect(await alerts()).toEqual([]);
  });

  it("is none where one of the weeks was as quiet, or is not known", async () => {
    await count(1, USUAL_EVENTS);
    await count(2, USUAL_EVENTS - 1);
    await count(0, 0);
    await check();
    await count(3, USUAL_EVENTS);
    await check();
    expect(await alerts()).toEqual([]);
  });

  it("is not judged before the hours are counted", async () => {
    await usual();
    await count(0, 0, [0, 1, 1]);
    await check();
    expect(await alerts()).toEqual([]);
  });

  it("is not made of other numbers' traffic", async () => {
    await usual();
    await count(0, 0);
    const other = await buildNumber(database.db, number.tenant_id);
    expect(
      await readTraffic(database.db, number.tenant_id, {
        phoneNumberId: other.phone_number_id,
        now: NOW,
      }),
    ).toEqual({ now: 0, before: [0, 0, 0] });
    await checkSilence(database.db, other, { now: NOW });
    expect(await alerts()).toEqual([]);
  });

  it("is over with the next event of the number, and not by the alert's own", async () => {
    await usual();
    await count(0, 0);
    await check();
    await clearSilence(database.db);
    expect(await alerts()).toMatchObject([{ cleared_at: null }]);
    const about = { phoneNumberId: number.phone_number_id };
    await writeNotifications(database.db, [notification([event(number.tenant_id, about)])]);
    await clearSilence(database.db);
    expect((await alerts())[0]?.cleared_at).toBeInstanceOf(Date);
  });
});

describe("what is silent", () => {
  it.each([
    { now: 0, before: [10, 11, 12], silent: true },
    { now: 1, before: [10, 11, 12], silent: false },
    { now: 0, before: [10, 11], silent: false },
    { now: 0, before: [9, 500, 500], silent: false },
  ])("now $now, before $before: $silent", ({ now, before, silent }) => {
    expect(isSilent({ now, before })).toBe(silent);
  });
});
