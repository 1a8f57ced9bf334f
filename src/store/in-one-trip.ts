import type { RawBuilder } from "kysely";
import type { Pool, PoolClient } from "pg";
import type { Database } from "./database.ts";
import { socketOf } from "./pooled-client.ts";

/**
 * Runs statements in a transaction, all sent at once: one round trip, where kysely's own takes one
 * for each and for `begin` and `commit`. A busy process hears every answer some milliseconds late, so
 * that is most of the time of a short transaction. What one statement finds, the next one may read
 * from the database, but not from here.
 * @throws the first error; then nothing of it is kept
 */
export type InOneTrip = <Rows extends unknown[]>(statements: {
  [Place in keyof Rows]: RawBuilder<Rows[Place]>;
}) => Promise<{ [Place in keyof Rows]: Rows[Place][] }>;

/** Over a pool whose connections send without waiting (`pipeline`). */
export function createInOneTrip(pool: Pool, db: Database): InOneTrip {
  return async <Rows extends unknown[]>(statements: {
    [Place in keyof Rows]: RawBuilder<Rows[Place]>;
  }) => {
    const compiled = statements.map((statement) => statement.compile(db));
    const client = await pool.connect();
    const sent = inOneWrite(client, () => [
      client.query("begin"),
      ...compiled.map(({ sql, parameters }) => client.query(sql, [...parameters])),
      client.query("commit"),
    ]);
    const answers = await settled(client, sent);
    return answers.slice(1, -1).map(({ rows }) => rows) as { [Place in keyof Rows]: Rows[Place][] };
  };
}

/** Each write wakes the server, which may well take the processor from us. */
function inOneWrite<Sent>(client: PoolClient, send: () => Sent): Sent {
  const socket = socketOf(client);
  socket.cork();
  try {
    return send();
  } finally {
    socket.uncork();
  }
}

/** Waits for all of them, so that none is under way when the connection is somebody else's. */
async function settled<Answer>(client: PoolClient, sent: Promise<Answer>[]): Promise<Answer[]> {
  await Promise.allSettled(sent);
  try {
    const answers = await Promise.all(sent);
    client.release();
    return answers;
  } catch (error) {
    // In what state it is need not be asked.
    client.release(true);
    throw error;
  }
}
