import { APPLICATION_NAME } from "./database.ts";
import { Client, DatabaseError } from "pg";
import { ROLE } from "./embedded-postgres-cluster.ts";
import type { Postmaster } from "./embedded-postgres-postmaster.ts";
import { waitUntil } from "./embedded-postgres-process.ts";

declare module "pg" {
  // Both exist; the type definitions leave them out.
  interface Client {
    ref(): void;
    unref(): void;
  }
}

const DATABASE = "waba_gateway";
/** Any fixed number: the advisory lock that every process using the server shares. */
const LOCK = 7_231_655_190;
/** How long connections that are being closed may still be seen. */
const CLOSING_BOUND_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** The address of a database on this server, for node-postgres and for `psql`. */
export function databaseUrl(postmaster: Postmaster): string {
  const query = new URLSearchParams({
    host: postmaster.socketPath,
    port: String(postmaster.port),
    user: ROLE,
    // Not `application_name`: in an address that would win over what a pool calls itself.
    fallback_application_name: APPLICATION_NAME,
  });
  return `postgres:///${DATABASE}?${query.toString()}`;
}

/**
 * One connection for as long as this process uses the server. It holds a lock together with those
 * of the other processes, so that the last one to leave can know that it is the last one, and none
 * can come in between; a process that dies lets go of it. Throws when the server is going away.
 */
export async function openKeeper(postmaster: Postmaster): Promise<Client> {
  const client = new Client({
    host: postmaster.socketPath,
    port: postmaster.port,
    user: ROLE,
    // Not the gateway's own database: locks are known to one database, and that one may be dropped.
    database: "postgres",
    application_name: `${APPLICATION_NAME}-keeper`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // Without a listener a lost connection would end the process; the queries report it anyway.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select pg_advisory_lock_shared($1)", [LOCK]);
    await createDatabase(client);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  // It alone must not keep the process from ending.
  client.unref();
  return client;
}

/** Whether an attempt to connect may go better in a moment: the server comes, or goes. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof DatabaseError) || (error.code ?? "").startsWith("57");
}

async function createDatabase(client: Client): Promise<void> {
  const found = await client.query("select 1 from pg_database where datname = $1", [DATABASE]);
  if (found.rowCount !== 0) {
    return;
  }
  try {
    await client.query(`create database ${DATABASE}`);
  } catch (error) {
    // Another process was faster: seen by name, or already while both were inserting it.
    if (!(error instanceof DatabaseError && ["42P04", "23505"].includes(error.code ?? ""))) {
      throw error;
    }
  }
}

/**
 * Whether this process is the only one left. If so, the lock is now held against newcomers: they
 * wait for it until the server goes, and then start it again.
 */
export async function isLastOne(client: Client): Promise<boolean> {
  await client.query("select pg_advisory_unlock_shared($1)", [LOCK]);
  const lock = await client.query("select pg_try_advisory_lock($1) as held", [LOCK]);
  if (lock.rows[0]?.held !== true) {
    return false;
  }
  // A process may also use the server by its address alone, without a keeper.
  return await waitUntil(async () => {
    const others = await client.query(
      `select 1 from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid()
          and application_name like $1 limit 1`,
      [`${APPLICATION_NAME}%`],
    );
    return others.rowCount === 0;
  }, CLOSING_BOUND_MS);
}
