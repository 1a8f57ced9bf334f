import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepared } from "../../../src/store/pooled-client.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await sql`create table kept (number int primary key)`.execute(database.db);
});
afterAll(() => database.drop());

const insert = (number: number) =>
  sql<{ number: number }>`insert into kept values (${number}) returning number`;

const kept = async (): Promise<number[]> => {
  const { rows } = await sql<{ number: number }>`select number from kept order by 1`.execute(
    database.db,
  );
  return rows.map(({ number }) => number);
};

describe("statements in one trip", () => {
  it("are one transaction, and each sees what those before it did", async () => {
    const [first, seen, id, again] = await database.inOneTrip([
      insert(1),
      sql<{ count: number }>`select count(*)::int from kept`,
      sql<{ id: string }>`select pg_current_xact_id()::text as id`,
      sql<{ id: string }>`select pg_current_xact_id()::text as id`,
    ]);
    expect([first, seen]).toEqual([[{ number: 1 }], [{ count: 1 }]]);
    expect(again).toEqual(id);
    expect(await kept()).toEqual([1]);
  });

  it.each([
    ["the first", [insert(1), insert(2)]],
    ["the last", [insert(2), insert(1)]],
    ["one in the middle", [insert(2), sql`select 1 / 0`, insert(3)]],
  ])("leave nothing where %s fails, and tell why it did", async (_which, statements) => {
    await expect(database.inOneTrip(statements)).rejects.toThrow(
      /duplicate key value|division by zero/,
    );
    expect(await kept()).toEqual([1]);
  });

  it("may be prepared, and fail before they are", async () => {
    const broken = sql`${prepared("broken")} select nothing from nowhere`;
    await expect(database.inOneTrip([broken])).rejects.toThrow("nowhere");
    const same = sql<{ one: number }>`${prepared("same")} select ${1}::int as one`;
    for (let times = 0; times < 3; times++) {
      expect(await database.inOneTrip([same, same])).toEqual([[{ one: 1 }], [{ one: 1 }]]);
    }
  });

  it("leave no setting behind that they made for themselves", async () => {
    const setting = sql<{ at: string }>`select current_setting('gateway.test', true) as at`;
    const [, within] = await database.inOneTrip([
      sql`select set_config('gateway.test', 'here', true)`,
      setting,
    ]);
    expect(within).toEqual([{ at: "here" }]);
    const [after] = await database.inOneTrip([setting]);
    expect(["", null]).toContain(after[0]?.at);
  });
});
