import { Client, type Dispatcher } from "undici";
import { openConnections } from "../connections.ts";
import { createGuardedConnector, type GuardedConnectorOptions } from "./connect.ts";

export type GuardedDispatcherOptions = GuardedConnectorOptions & {
  /** Open connections to one scheme, host and port; more requests wait. */
  connectionsPerOriginMax: number;
  /** How old a connection may be to take another request, milliseconds; then the name is looked up and judged again. */
  connectionAgeMaxMs: number;
  /** How long a connection waits unused, milliseconds. */
  keepAliveMs: number;
};

export type GuardedDispatcher = {
  /** As undici's; what becomes of the request is told to the handler alone. */
  dispatch: (request: GuardedRequest, handler: Dispatcher.DispatchHandler) => void;
  /** Ends everything at once, and takes nothing more. */
  destroy: () => Promise<void>;
};

type GuardedRequest = Dispatcher.DispatchOptions & { origin: string };
type Waiting = { request: GuardedRequest; handler: Dispatcher.DispatchHandler };

/** Connects to judged addresses only. It knows nothing of the URL rules. */
export function createGuardedDispatcher(options: GuardedDispatcherOptions): GuardedDispatcher {
  const waiting = new Map<string, Waiting[]>();
  let isDestroyed = false;
  const settings: Client.Options = {
    connect: createGuardedConnector(options),
    keepAliveTimeout: options.keepAliveMs,
    keepAliveMaxTimeout: options.connectionAgeMaxMs, // a server's Keep-Alive hint may not ask for more
    pipelining: 1,
    allowH2: false, // one request a connection: a slow answer never stands in front of another tenant's
  };
  const connections = openConnections({
    perOrigin: options.connectionsPerOriginMax,
    ageMaxMs: options.connectionAgeMaxMs,
    open(origin) {
      const connection = new Client(origin, settings);
      return connection.on("drain", () => {
        connections.giveBack(origin, connection);
        serve(origin);
      });
    },
  });

  function serve(origin: string): void {
    const queue = waiting.get(origin) ?? [];
    while (queue.length > 0) {
      const connection = connections.take(origin);
      const next = connection === undefined ? undefined : queue.shift();
      if (connection === undefined || next === undefined) {
        return;
      }
      const wantsMore = connection.dispatch(next.request, next.handler);
      // Refused before it was begun: no drain will tell that it is over.
      if (!wantsMore && connection.stats.size === 0) {
        connections.giveBack(origin, connection);
      }
    }
    waiting.delete(origin);
  }

  return {
    dispatch(request, handler) {
      const queue = waiting.get(request.origin);
      if (isDestroyed) {
        refuse({ request, handler });
      } else if (queue === undefined) {
        waiting.set(request.origin, [{ request, handler }]);
        serve(request.origin);
      } else {
        queue.push({ request, handler });
      }
    },
    async destroy() {
      isDestroyed = true;
      [...waiting.values()].flat().forEach(refuse);
      waiting.clear();
      await connections.destroy();
    },
  };
}

/** Tells the handler what undici would. */
function refuse({ request, handler }: Waiting): void {
  const destroyed = new Client(request.origin);
  void destroyed.destroy();
  destroyed.dispatch(request, handler);
}
