import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import type { AddressInfo, Server as SharedSocket } from "node:net";

export type RunningServer = {
  port: number;
  /** The listening socket, to be shared with another process. */
  socket: Server;
  /** From now on calls are answered; before, each is told to come again. */
  serve(listener: RequestListener): void;
  /** Nothing new is taken; calls under way may finish for `graceMs`, then they are cut. */
  close(options: { graceMs: number }): Promise<void>;
};

// Longer than a load balancer usually keeps a connection, so that it, not we, ends idle ones.
// 100 MiB over a slow line take longer than Node's five minutes for a request, so what counts is
// that it goes on: a connection that nothing moves on for so long is closed.
const SETTINGS: ServerOptions = { keepAliveTimeout: 65_000, requestTimeout: 3_600_000 };
const NOTHING_MOVES_MS = 300_000;

const CLOSE_IDLE_EVERY_MS = 20;

// How many connections wait to be taken; the system may allow fewer (`net.core.somaxconn`). What finds
// no room is not refused but tries again after 1, 3 and 7 s: past Node's 511, a busy process had those.
const CONNECTIONS_WAITING_MAX = 4096;

const notYet: RequestListener = (_req, res) => {
  res.writeHead(503, { "retry-after": "1", "content-length": "0" }).end();
};

/**
 * Takes a port, before anything else is started: what the port is decides our own URL.
 * @throws with code EADDRINUSE when the port is taken, unless any port will do then
 */
export async function listenWhereFree(options: {
  port: number;
  host: string;
  orAnyPort: boolean;
}): Promise<RunningServer> {
  const { host, port, orAnyPort } = options;
  let listener = notYet;
  const server = newServer((req, res) => listener(req, res));
  try {
    await listen(server, port, host);
  } catch (error) {
    if (!orAnyPort || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
      throw error;
    }
    await listen(server, 0, host);
  }
  return {
    port: (server.address() as AddressInfo).port,
    socket: server,
    serve: (next) => {
      listener = next;
    },
    close: ({ graceMs }) => close(server, graceMs),
  };
}

/** Answers calls at a port that another process has taken, from when its socket is attached. */
export function shareServer(listener: RequestListener): {
  attach: (socket: SharedSocket) => void;
  close: RunningServer["close"];
} {
  const server = newServer(listener);
  return {
    attach: (socket) => void server.listen(socket, CONNECTIONS_WAITING_MAX),
    close: ({ graceMs }) => close(server, graceMs),
  };
}

function newServer(listener: RequestListener): Server {
  return createServer(SETTINGS, listener).setTimeout(NOTHING_MOVES_MS);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, CONNECTIONS_WAITING_MAX, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    // A connection whose call has just been answered is kept alive again, and would be waited for.
    const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(closeIdle);
      resolve();
    });
  });
}
