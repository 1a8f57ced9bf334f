import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../../src/events/write-notifications.ts";
import {
  checkSilence,
  clearSilence,
  isSilent,
  readTraffic,
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
});
afterAll(() => database.drop());

beforeEach(async () => {
  await database.db.deleteFrom("traffic").execute();
  await database.db.deleteFrom("ledger_hour").execute();
  number = await buildNumber(database.db, (await buildTenant(database.db)).id);
});

/** The last whole hours before now, or before the same time some weeks earlier: counted, with so much in them. */
async function count(weeksAgo: number, events: number, passes = [1, 1, 1]): Promise<void> {
  const end = Math.floor(NOW.getTime() / HOUR_MS) * HOUR_MS - weeksAgo * WEEK_MS;
  const hours = passes.map((pass, index) => ({
    hour: new Date(end - (index + 1) * HOUR_MS),
    pass,
  }));
  await database.db.insertInto("ledger_hour").values(hours).execute();
  // One in the first of them, the others in the last.
  const [last, , first] = hours.map(({ hour }) => hour);
  const traffic = [
    { hour: first, events: Math.min(events, 1) },
    { hour: last, events: Math.max(events - 1, 0) },
  ];
  const { tenant_id, phone_number_id } = number;
  await sql`
    insert into traffic (tenant_id, phone_number_id, hour, events)
    select ${tenant_id}, ${phone_number_id}, hour, events
    from json_to_recordset(${JSON.stringify(traffic)}::json) as t (hour timestamptz, events int)
    where events > 0`.execute(database.db);
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
