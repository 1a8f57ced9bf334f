import type { Socket } from "node:net";
import { type RawBuilder, sql } from "kysely";
import type { PoolClient } from "pg";

/**
 * Marks a statement to be planned once a connection and not at every call: for the few that are run
 * all the time. Planning the one that writes notifications took three times as long as running it
 * for a single one. It stands before the statement's first word.
 */
export function prepared(name: string): RawBuilder<unknown> {
  return sql.raw(`/* prepared: ${name} */`);
}

const PREPARED_MARK = /^\s*\/\* prepared: (\w+) \*\//;
const LIFTS_TIMEOUT = /^\s*set local statement_timeout\b/i;
const ENDS_TRANSACTION = /^\s*(commit|rollback)\s*$/i;

// The server's own answer, that the statement was ended, comes first wherever it can come at all.
const BEYOND_TIMEOUT_MS = 1000;

type Query = (text: unknown, ...rest: unknown[]) => unknown;

/**
 * What a pool's connection lacks. `pg` prepares what has a name, and kysely cannot give one. And a
 * connection whose other end has gone without a word (half-open) would keep its statement for hours:
 * one that outlives the server's own `statement_timeout` breaks the connection, and the pool makes a
 * new one.
 */
export function fitOut(client: PoolClient, options: { statementTimeoutMs: number }): void {
  const { statementTimeoutMs } = options;
  const query = client.query.bind(client) as Query;
  let unlimited = statementTimeoutMs === 0;
  let unanswered = 0;

  const fitted: Query = (text, ...rest) => {
    if (typeof text !== "string") {
      return query(text, ...rest);
    }
    const name = PREPARED_MARK.exec(text)?.[1];
    const running = name === undefined ? query(text, ...rest) : query({ name, text }, ...rest);
    if (LIFTS_TIMEOUT.test(text)) {
      unlimited = true;
    } else if (ENDS_TRANSACTION.test(text)) {
      unlimited = statementTimeoutMs === 0;
    }
    if (running instanceof Promise) {
      unanswered += 1;
      // One that was sent behind others has their time too.
      const afterMs = unanswered * (statementTimeoutMs + BEYOND_TIMEOUT_MS);
      const timer = unlimited ? undefined : setTimeout(() => socketOf(client).destroy(), afterMs);
      const stop = (): void => {
        unanswered -= 1;
        clearTimeout(timer);
      };
      running.then(stop, stop);
    }
    return running;
  };
  Object.assign(client, { query: fitted });
}

/** Not in `pg`'s types, and since its first version in its every client. */
export function socketOf(client: PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}
