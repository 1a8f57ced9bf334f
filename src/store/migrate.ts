import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { openDatabase, type Database } from "./database.ts";
import type { Secret } from "../secret.ts";

const MIGRATIONS_DIR = join(import.meta.dirname, "../../migrations");
const PARTITION_DAYS_AHEAD = 7;

/** Runs what is missing of `migrations/`, then makes the coming days' partitions. */
export async function migrate(options: { url: Secret }): Promise<{ applied: string[] }> {
  // A migration may take longer than a call may wait, so it has a connection of its own.
  const { db, close } = openDatabase({
    ...options,
    connectionsMax: 1,
    statementTimeoutMs: 0,
    onIdleError: () => {},
  });
  try {
    const applied = (await newestHasRun(db)) ? [] : await runMigrator(db);
    const reason = await unfitVersion(db);
    if (reason !== undefined) {
      throw new Error(reason);
    }
    await ensurePartitions(db);
    return { applied };
  } finally {
    await close();
  }
}

/** Each day has partitions of its own; called at start and once an hour. */
export async function ensurePartitions(db: Database): Promise<void> {
  await sql`select ensure_partitions(${PARTITION_DAYS_AHEAD})`.execute(db);
}

/**
 * Whether this code can run on the database: `undefined`, or the reason why not. Newer `expand`
 * migrations are no reason; a `min_version` past our newest migration is.
 */
export async function unfitVersion(db: Database): Promise<string | undefined> {
  const newest = await newestMigration();
  const row = await db.selectFrom("installation").select("min_version").executeTakeFirst();
  if (row === undefined) {
    return "the database is empty; run the migrations";
  }
  return row.min_version > newest
    ? `the database needs version ${row.min_version} or later, this is ${newest}`
    : undefined;
}

/**
 * An older image beside a newer one: its migrator would take the newer migrations for a corrupted
 * history, so it is run only where this code's own newest migration is absent.
 */
async function newestHasRun(db: Database): Promise<boolean> {
  const { rows } = await sql<{ made: boolean }>`
    select to_regclass('kysely_migration') is not null as made`.execute(db);
  if (rows[0]?.made !== true) {
    return false;
  }
  const found = await sql`
    select 1 from kysely_migration where name = ${await newestMigration()}`.execute(db);
  return found.rows.length > 0;
}

async function runMigrator(db: Database): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations } });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === "Error")?.migrationName;
    throw new Error(`migration ${failed ?? "(unknown)"} failed`, { cause: error });
  }
  return (results ?? []).map((result) => result.migrationName);
}

async function newestMigration(): Promise<string> {
  return (
    Object.keys(await getMigrations())
      .toSorted()
      .at(-1) ?? ""
  );
}

async function getMigrations(): Promise<Record<string, Migration>> {
  const files = (await readdir(MIGRATIONS_DIR)).filter((file) => file.endsWith(".sql"));
  const migrations = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(MIGRATIONS_DIR, file), "utf8");
      const up: Migration["up"] = async (db) => {
        await sql.raw(text).execute(db);
      };
      return [file.slice(0, -".sql".length), { up }] as const;
    }),
  );
  return Object.fromEntries(migrations);
}
