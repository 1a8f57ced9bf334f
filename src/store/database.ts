import { Kysely, PostgresDialect, type Transaction } from "kysely";
import { Pool } from "pg";
import type { Secret } from "../secret.ts";
import { createInOneTrip, type InOneTrip } from "./in-one-trip.ts";
import { fitOut } from "./pooled-client.ts";
import type { Schema } from "./schema.ts";

export type Database = Kysely<Schema>;
export type DatabaseTransaction = Transaction<Schema>;

/** How our connections name themselves; the embedded server's owner counts them by it. */
export const APPLICATION_NAME = "waba-gateway";

const IDLE_IN_TRANSACTION_MS = 5000;
const PLAN_ONCE = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off";

export type OpenDatabase = { db: Database; inOneTrip: InOneTrip; close: () => Promise<void> };

/**
 * Opens a pool over PostgreSQL 15 or later. No statement runs longer than `statementTimeoutMs`:
 * a caller that waits is better told "try again" than kept.
 */
export function openDatabase(options: {
  url: Secret;
  connectionsMax?: number;
  statementTimeoutMs?: number;
  /**
   * For statements that are run all the time, each planned once a connection (`prepared`): over a table
   * that is empty then too they go by its index, because it will not stay so.
   */
  planOnce?: boolean;
  onIdleError: (error: Error) => void;
}): OpenDatabase {
  const { statementTimeoutMs = 3000 } = options;
  const pool = new Pool({
    connectionString: options.url.reveal(),
    application_name: APPLICATION_NAME,
    max: options.connectionsMax ?? 10,
    statement_timeout: statementTimeoutMs,
    // A process that stands still in the middle of a transaction must not keep its locks.
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
    pipeline: true, // a statement is sent without waiting for the answers to those before it
    ...(options.planOnce === true && { options: PLAN_ONCE }),
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end
  // the process.
  pool.on("error", options.onIdleError);
  // Likewise one that breaks while in use; whoever uses it is told by the query that fails.
  pool.on("connect", (client) => {
    client.on("error", () => {});
    fitOut(client, { statementTimeoutMs });
  });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return { db, inOneTrip: createInOneTrip(pool, db), close: () => db.destroy() };
}

/** What tells this gateway from others over the same Redis. */
export async function installationId(db: Database): Promise<string> {
  const row = await db.selectFrom("installation").select("id").executeTakeFirstOrThrow();
  return row.id;
}

/** The SQLSTATE of a database error (PostgreSQL manual, appendix A), if it has one. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The name of the constraint that a unique violation (23505) broke. */
export function brokenUniqueConstraint(error: unknown): string | undefined {
  if (sqlState(error) !== "23505") {
    return undefined;
  }
  const name = (error as { constraint?: unknown }).constraint;
  return typeof name === "string" ? name : undefined;
}

// What `pg` and Node report when there is no connection to be had or one has broken.
const CONNECTION_TROUBLE =
  /ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool/;

/**
 * Trouble that passes: connection exceptions (SQLSTATE class 08), transaction rollback (40),
 * insufficient resources (53), operator intervention (57, statement timeout too), or no connection.
 */
export function isPassingTrouble(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) {
    return /^(08|40|53|57)/.test(state) || state === "3D000";
  }
  return (
    error instanceof Error &&
    CONNECTION_TROUBLE.test(`${error.message} ${String((error as { code?: unknown }).code)}`)
  );
}
