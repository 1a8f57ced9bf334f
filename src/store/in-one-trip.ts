import type { RawBuilder } from "kysely";
import type { Pool, PoolClient } from "pg";
import type { Database } from "./database.ts";
import { socketOf } from "./pooled-client.ts";

/**
 * Runs statements in a transaction, all sent at once: one round trip, where kysely's own takes one
 * for each and for `begin` and `commit`. A busy process hears every answer some milliseconds late,
 * so that is most of the time of a short transaction. What one statement finds, the next one may
 * read from the database, but not from here.
 * @throws the first error of a statement, and nothing is kept; or that the connection broke, and
 * then it is not known whether all was committed or nothing
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
    try {
      const sent = inOneWrite(client, () => [
        client.query("begin"),
        ...compiled.map(({ sql, parameters }) => client.query(sql, [...parameters])),
        client.query("commit"),
      ]);
      // All of them, so that none is under way when the connection is somebody else's.
      await Promise.allSettled(sent);
      const answers = await Promise.all(sent);
      client.release();
      const found = answers.slice(1, -1).map(({ rows }) => rows);
      return found as { [Place in keyof Rows]: Rows[Place][] };
    } catch (error) {
      // In what state the connection is need not be asked.
      client.release(true);
      throw error;
    }
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
