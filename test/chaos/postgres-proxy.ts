import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Socket,
} from "node:net";
import { listenToClient, listenToServer } from "./postgres-wire.ts";

/**
 * When to strike: at the moment that a statement is sent, before the server gets it; when the server
 * has run it, its transaction still open; or when it is committed. The client hears of none of them.
 */
export type Moment = { statement: RegExp; when: "before" | "open" | "committed" };

export type PostgresProxy = {
  port: number;
  /** Strikes once, at the next such moment, and tells when it did. */
  strikeAt: (moment: Moment, strike: () => void) => Promise<void>;
  /** How many statements have been sent so far. */
  statements: () => number;
  /** The connections there are stay, and nothing moves on them ever again; new ones work. */
  freeze: () => void;
  close: () => Promise<void>;
};

/** Stands between one process and PostgreSQL's socket, hears what is said, and holds it back. */
export async function startPostgresProxy(serverAt: () => NetConnectOpts): Promise<PostgresProxy> {
  const connections = new Set<{ frozen: boolean; client: Socket; server: Socket }>();
  let statements = 0;
  let armed: { moment: Moment; strike: () => void; done: () => void } | undefined;

  function fire(): void {
    const shot = armed;
    armed = undefined;
    shot?.strike();
    shot?.done();
  }

  const listener = createServer((client) => {
    const server = connect(serverAt());
    const connection = { frozen: false, client, server };
    connections.add(connection);
    let held = false;
    /** The statement that the armed moment is about was sent over this connection. */
    let met = false;
    /** With which answer the server has run it; the first of all is to the connection's beginning. */
    let runAt = Number.POSITIVE_INFINITY;
    let asked = 1;
    let answered = 0;
    /** How many of the bytes at hand, the last ones, the server does not get. */
    let bytesKept = 0;

    const hearClient = listenToClient((heard) => {
      if (heard.kind === "statement") {
        statements += 1;
        met ||= armed?.moment.statement.test(heard.text) === true;
        if (met && armed?.moment.when === "before") {
          held = true;
          fire();
        }
      } else if (heard.kind === "ask") {
        asked += 1;
        if (met && runAt > asked) {
          runAt = asked;
          // What was sent together with it, as its commit may be.
          bytesKept = armed?.moment.when === "open" ? heard.bytesAfter : 0;
        }
      }
    });
    const hearServer = listenToServer((heard) => {
      answered += heard.kind === "ready" ? 1 : 0;
      if (armed === undefined || heard.kind !== "ready" || answered < runAt) {
        return;
      }
      const { when } = armed.moment;
      if (when === "open" || (when === "committed" && heard.idle)) {
        held = true;
        fire();
      }
    });
    client.on("data", (chunk) => {
      hearClient(chunk);
      if (!held && !connection.frozen) {
        server.write(chunk.subarray(0, chunk.length - bytesKept));
      }
    });
    server.on("data", (chunk) => {
      hearServer(chunk);
      if (!held && !connection.frozen) {
        client.write(chunk);
      }
    });
    const end = (): void => {
      connections.delete(connection);
      // Of a frozen connection neither side hears that the other has gone.
      if (!connection.frozen) {
        client.destroy();
        server.destroy();
      }
    };
    client.on("error", () => {}).on("close", () => (connection.frozen ? server.destroy() : end()));
    server.on("error", () => {}).on("close", end);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    strikeAt: (moment, strike) =>
      new Promise((done) => {
        armed = { moment, strike, done };
      }),
    statements: () => statements,
    freeze() {
      for (const connection of connections) {
        connection.frozen = true;
      }
    },
    close: () =>
      new Promise((resolve) => {
        for (const { client, server } of connections) {
          client.destroy();
          server.destroy();
        }
        listener.close(() => resolve());
      }),
  };
}
