import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, describe, expect, inject, it } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { openDatabase, type OpenDatabase } from "../../../src/store/database.ts";
import { ensurePartitions, migrate, unfitVersion } from "../../../src/store/migrate.ts";
import { administer, urlOf } from "../../support/template-database.ts";

const MIGRATIONS = readdirSync(join(import.meta.dirname, "../../../migrations"))
  .map((file) => file.replace(/\.sql$/, ""))
  .toSorted();

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) {
    await each();
  }
});

/** A database that nobody has migrated yet. */
async function emptyDatabase(): Promise<{ url: Secret; opened: OpenDatabase }> {
  const { adminUrl } = inject("templateDatabase");
  const name = `wg_empty_${randomBytes(6).toString("hex")}`;
  await administer(adminUrl, `create database ${name}`);
  undo.push(() => administer(adminUrl, `drop database if exists ${name} with (force)`));
  const url = new Secret(urlOf(adminUrl, name));
  const opened = openDatabase({ url, onIdleError: () => {} });
  undo.push(opened.close);
  return { url, opened };
}

describe("migrate", () => {
  it("runs every migration of an empty database, in order, and none the second time", async () => {
    const { url, opened } = await emptyDatabase();
    expect(await migrate({ url })).toEqual({ applied: MIGRATIONS });
    expect(await migrate({ url })).toEqual({ applied: [] });
    expect(await unfitVersion(opened.db)).toBeUndefined();
  });

  it("runs each migration once when several processes start at once", async () => {
    const { url } = await emptyDatabase();
    const runs = await Promise.all([1, 2, 3].map(() => migrate({ url })));
    expect(runs.flatMap(({ applied }) => applied).toSorted()).toEqual(MIGRATIONS);
  });

  it("refuses a database that needs a later version, and says which", async () => {
    const { url, opened } = await emptyDatabase();
    await migrate({ url });
    await opened.db.updateTable("installation").set({ min_version: "9999_future" }).execute();
    const newest = MIGRATIONS.at(-1) ?? "";
    const reason = `the database needs version 9999_future or later, this is ${newest}`;
    await expect(migrate({ url })).rejects.toThrow(reason);
    expect(await unfitVersion(opened.db)).toBe(reason);
  });

  it("starts beside a later version that only added to the database", async () => {
    const { url, opened } = await emptyDatabase();
    await migrate({ url });
    await sql`insert into kysely_migration (name, timestamp)
      values ('9999_future', now()::text)`.execute(opened.db);
    expect(await migrate({ url })).toEqual({ applied: [] });
    expect(await unfitVersion(opened.db)).toBeUndefined();
  });

  it("leaves nothing behind of a migration that failed", async () => {
    const { url, opened } = await emptyDatabase();
    // Stands in the way of a later migration, not of the first.
    await sql`create table attempt (id text)`.execute(opened.db);
    await expect(migrate({ url })).rejects.toThrow(/^migration \d{4}_\w+ failed$/);
    const { rows } = await sql`select to_regclass('tenant') as tenant`.execute(opened.db);
    expect(rows).toEqual([{ tenant: null }]);
    await sql`drop table attempt`.execute(opened.db);
    expect(await migrate({ url })).toEqual({ applied: MIGRATIONS });
  });
});

const daysOf = async ({ db }: OpenDatabase, parent: string) => {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent = ${parent}::regclass order by 1`.execute(db);
  return rows.map(({ name }) => name);
};

describe("partitions", () => {
  it.each(["notification", "event", "delivery_finished", "attempt"])(
    "of %s are there from yesterday to a week ahead",
    async (parent) => {
      const { url, opened } = await emptyDatabase();
      await migrate({ url });
      const days = Array.from({ length: 9 }, (_, n) => {
        const day = new Date(Date.now() + (n - 1) * 86_400_000).toISOString().slice(0, 10);
        return `${parent}_${day.replaceAll("-", "")}`;
      });
      expect(await daysOf(opened, parent)).toEqual(days);
    },
  );

  it("are made once, however many processes make them at once", async () => {
    const { url, opened } = await emptyDatabase();
    await migrate({ url });
    const days = await daysOf(opened, "event");
    await sql`drop table ${sql.table(days.at(-1) ?? "")}`.execute(opened.db);
    await Promise.all([1, 2, 3, 4].map(() => ensurePartitions(opened.db)));
    expect(await daysOf(opened, "event")).toEqual(days);
  });

  it("are never vacuumed for what is added, those of a new database neither", async () => {
    const { url, opened } = await emptyDatabase();
    await migrate({ url });
    const { rows } = await sql<{ settings: string[] | null; days: number }>`
      select c.reloptions as settings, count(*)::int as days
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where c.relkind = 'r' group by 1`.execute(opened.db);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.settings).toEqual(["autovacuum_vacuum_insert_threshold=-1"]);
    expect(rows[0]?.days).toBeGreaterThanOrEqual(9);
  });
});

describe("what waits for delivery", () => {
  it("is analyzed from 3,000 rows, however many there are", async () => {
    const { url, opened } = await emptyDatabase();
    await migrate({ url });
    const { rows } = await sql<{ statistics: number }>`
      select distinct attstattarget as statistics from pg_attribute
      where attnum > 0 and not attisdropped
        and attrelid in ('delivery'::regclass, 'delivery_by_older_id'::regclass)`.execute(
      opened.db,
    );
    expect(rows).toEqual([{ statistics: 10 }]);
  });
});
