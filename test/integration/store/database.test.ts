import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../../src/secret.ts";
import {
  brokenUniqueConstraint,
  type Database,
  openDatabase,
  type OpenDatabase,
  sqlState,
} from "../../../src/store/database.ts";
import { prepared } from "../../../src/store/pooled-client.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant } from "../rows.ts";

let database: TestDatabase;
let opened: OpenDatabase;
const idleErrors: Error[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  opened = openDatabase({
    url: new Secret(database.url),
    statementTimeoutMs: 2000,
    onIdleError: (error) => void idleErrors.push(error),
  });
});
afterAll(async () => {
  await opened.close();
  await database.drop();
});
beforeEach(() => void idleErrors.splice(0));

/** As a restart of the server does it. */
const cut = (pid: number) => sql`select pg_terminate_backend(${pid})`.execute(database.db);

const pidOf = async (db: Database) => {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid ?? 0;
};

const gone = (pid: number) =>
  eventually(async () => {
    const { rows } = await sql`select 1 from pg_stat_activity where pid = ${pid}`.execute(
      database.db,
    );
    return rows.length === 0;
  });

// An error event that nobody listens for ends the process, and with it this test.
describe("a connection that breaks", () => {
  it("between two statements of a transaction fails that transaction only", async () => {
    const broken = opened.db.transaction().execute(async (trx) => {
      const pid = await pidOf(trx);
      await cut(pid);
      await gone(pid);
      await sql`select 1`.execute(trx);
    });
    await expect(broken).rejects.toThrow();
    expect(await pidOf(opened.db)).toBeGreaterThan(0);
  });

  it("during a statement fails that statement only", async () => {
    const broken = expect(
      sql`select pg_sleep(60), 'asleep'`.execute(opened.db),
    ).rejects.toMatchObject({ code: "57P01" });
    const pid = await eventually(async () => {
      const { rows } = await sql<{ pid: number }>`
        select pid from pg_stat_activity
        where datname = current_database() and state = 'active' and query like '%''asleep''%'
          and pid <> pg_backend_pid()`.execute(database.db);
      return rows[0]?.pid;
    });
    await cut(pid);
    await broken;
    expect(await eventually(() => pidOf(opened.db))).not.toBe(pid);
  });

  it("while idle is told, and replaced", async () => {
    const pid = await pidOf(opened.db);
    await cut(pid);
    await eventually(() => idleErrors.length > 0);
    expect(await pidOf(opened.db)).not.toBe(pid);
  });
});

describe("a statement", () => {
  it("that takes too long is ended, and says so", async () => {
    const slow = sql`select pg_sleep(10)`.execute(opened.db);
    await expect(slow).rejects.toSatisfy((error) => sqlState(error) === "57014");
  });
});

describe("an error of the database", () => {
  it("names the constraint that was broken", async () => {
    const { id } = await buildTenant(opened.db);
    const again = opened.db.insertInto("tenant").values({ id, name: "x", external_id: null });
    const error: unknown = await again.execute().catch((caught: unknown) => caught);
    expect(sqlState(error)).toBe("23505");
    expect(brokenUniqueConstraint(error)).toBe("tenant_pkey");
  });

  it.each([
    ["nothing", undefined],
    ["no error", { code: "23505" }],
    ["an error without a code", new Error("x")],
    ["an error of the network", Object.assign(new Error("x"), { code: "ECONNREFUSED" })],
  ])("is not taken from %s", (_name, error) => {
    expect(sqlState(error)).toBeUndefined();
    expect(brokenUniqueConstraint(error)).toBeUndefined();
  });
});

describe("a statement that is marked", () => {
  it("is planned once a connection, whatever its values", async () => {
    await opened.db.transaction().execute(async (trx) => {
      for (const value of [1, 2, 3]) {
        const { rows } = await sql<{ value: number }>`
          ${prepared("test_of_a_value")} select ${value}::int as value`.execute(trx);
        expect(rows).toEqual([{ value }]);
      }
      const { rows } = await sql<{ calls: string }>`
        select generic_plans + custom_plans as calls from pg_prepared_statements
        where name = 'test_of_a_value'`.execute(trx);
      expect(rows).toEqual([{ calls: "3" }]);
    });
  });
});
