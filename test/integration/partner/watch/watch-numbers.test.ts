import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Messaging, OwnCall, Webhook } from "../../../../src/dialog360/messaging.ts";
import { createOrigins } from "../../../../src/dialog360/origins.ts";
import { watchNumbers } from "../../../../src/partner/watch/watch-numbers.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { eventually } from "../../../support/eventually.ts";
import { buildNumber, buildTenant, sealer } from "../../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const NUMBERS = 6;

const setDue = () =>
  database.db
    .updateTable("number_watch")
    .set({ due_at: new Date(0) })
    .execute();
const dueCount = async () =>
  (
    await database.db
      .selectFrom("number_watch")
      .select("number_id")
      .where("due_at", "<=", new Date())
      .execute()
  ).length;
const openAlerts = async () =>
  (
    await database.db.selectFrom("alert").select("kind").where("cleared_at", "is", null).execute()
  ).map(({ kind }) => kind);

describe("the watch over numbers", () => {
  let away = true;
  let asked = 0;
  const answer = <T>(value: T): Promise<OwnCall<T>> => {
    asked += 1;
    return Promise.resolve(
      away ? { kind: "unreachable", cause: new Error("away") } : { kind: "ok", value },
    );
  };
  const messaging: Messaging = {
    findWebhook: () => answer<Webhook | null>(null),
    checkKey: () => answer({ phoneNumberIds: [], wabaIds: [], entities: [] }),
    setWebhook: () => answer(undefined),
    register: () => answer(undefined),
  };

  const start = () =>
    watchNumbers({
      db: database.db,
      sealer,
      messaging,
      partnerApi: undefined,
      connect: {
        checkKey: () => Promise.reject(new Error()),
        readHealth: () => Promise.reject(new Error()),
        registerHook: () => Promise.resolve(),
      },
      origins: createOrigins({ baseUrl: "https://waba.example", allowedOrigins: [] }),
      url: "https://gateway.example",
      // So that webhooks are left alone.
      unusableUrl: "it is not public",
      onError: () => {},
      pauseMs: 1,
      outagePauseMs: 1,
    });

  it("takes in new numbers, none of them at once", async () => {
    const { id } = await buildTenant(database.db);
    for (let n = 0; n < NUMBERS; n++) {
      await buildNumber(database.db, id, { state: "running" });
    }
    const watch = start();
    await eventually(async () => {
      const rows = await database.db.selectFrom("number_watch").select("due_at").execute();
      const soonMs = Date.now() + 4 * 60_000;
      return rows.length === NUMBERS && rows.every(({ due_at }) => due_at.getTime() > soonMs);
    });
    await watch.stop();
    expect(asked).toBe(0);
  });

  it("alerts once when 360dialog is away, and clears it when it is back", async () => {
    const watch = start();
    await setDue();
    watch.poke();
    await eventually(async () => (await dueCount()) === 0);
    expect(await openAlerts()).toEqual(["dialog360_unreachable"]);
    away = false;
    await setDue();
    watch.poke();
    await eventually(async () => (await dueCount()) === 0 && (await openAlerts()).length === 0);
    await watch.stop();
  });

  it("is in one process at a time: of two no number is looked after twice", async () => {
    asked = 0;
    const both = [start(), start()];
    await setDue();
    for (const watch of both) {
      watch.poke();
    }
    await eventually(async () => (await dueCount()) === 0);
    await Promise.all(both.map((watch) => watch.stop()));
    expect(asked).toBe(2 * NUMBERS);
  });

  it("leaves alone a number whose key is being changed", async () => {
    asked = 0;
    const row = await database.db.selectFrom("phone_number").select("id").executeTakeFirstOrThrow();
    const rotation = { id: "rot_open", number_id: row.id, reason: "manual" as const };
    await database.db.insertInto("key_rotation").values(rotation).execute();
    const watch = start();
    await setDue();
    watch.poke();
    await eventually(async () => (await dueCount()) === 0);
    await watch.stop();
    expect(asked).toBe(2 * (NUMBERS - 1));
    await database.db.deleteFrom("key_rotation").execute();
  });

  it("goes on where it was stopped", async () => {
    asked = 0;
    const first = start();
    await setDue();
    first.poke();
    await eventually(() => asked >= 3);
    await first.stop();
    const second = start();
    second.poke();
    await eventually(async () => (await dueCount()) === 0);
    await second.stop();
    expect(asked).toBe(2 * NUMBERS);
  });
});
