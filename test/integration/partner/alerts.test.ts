import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type AlertSubject,
  clearAlert,
  numberSubject,
  raiseAlert,
} from "../../../src/partner/alerts/alerts.ts";
import { countOpenAlerts, listAlertsAsPartner } from "../../../src/partner/alerts/read-alerts.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildNumber, buildTenant } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const kind = "key_rejected";
const page = { limit: 50, after: undefined };

describe("an alert", () => {
  let tenantId: string;
  let numberId: string;
  let subject: AlertSubject;

  beforeEach(async () => {
    tenantId = (await buildTenant(database.db)).id;
    const number = await buildNumber(database.db, tenantId);
    numberId = number.id;
    subject = numberSubject(number);
  });

  const raise = (detail = "It is refused."): Promise<boolean> =>
    database.db.transaction().execute((trx) => raiseAlert(trx, { kind, subject, detail }));
  const clear = (): Promise<boolean> =>
    database.db.transaction().execute((trx) => clearAlert(trx, { kind, subject }));
  const list = (state?: "open" | "cleared") =>
    listAlertsAsPartner(database.db, {
      ...page,
      state,
      kind: undefined,
      tenantId,
      phoneNumberId: undefined,
    });
  const told = async (): Promise<string[]> => {
    const rows = await database.db
      .selectFrom("event")
      .select("type")
      .where("tenant_id", "=", tenantId)
      .orderBy("seq")
      .execute();
    return rows.map(({ type }) => type);
  };

  it("is one, with one event, however many raise it at once", async () => {
    const raised = await Promise.all([raise(), raise(), raise(), raise()]);
    expect(raised.filter(Boolean)).toHaveLength(1);
    expect(await list()).toMatchObject([{ kind, number_id: numberId, count: 4, cleared_at: null }]);
    expect(await told()).toEqual(["alert.raised"]);
  });

  it("keeps the words that it was raised with", async () => {
    await raise("First.");
    await raise("Second.");
    expect((await list()).map(({ detail }) => detail)).toEqual(["First."]);
  });

  it("is cleared once, and is another one when it comes back", async () => {
    expect(await clear()).toBe(false);
    await raise();
    expect([await clear(), await clear()]).toEqual([true, false]);
    expect(await list("open")).toEqual([]);
    expect(await raise()).toBe(true);
    expect(await list("open")).toHaveLength(1);
    expect(await list("cleared")).toHaveLength(1);
    expect(await told()).toEqual(["alert.raised", "alert.cleared", "alert.raised"]);
  });

  it("goes with its number and is counted while it lasts", async () => {
    const before = (await countOpenAlerts(database.db)).get(kind) ?? 0;
    await raise();
    expect((await countOpenAlerts(database.db)).get(kind)).toBe(before + 1);
    await database.db.deleteFrom("phone_number").where("id", "=", numberId).execute();
    expect(await list()).toEqual([]);
  });
});
