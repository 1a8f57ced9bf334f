import { Agent, type Dispatcher } from "undici";
import { createGuardedConnector, type GuardedConnectorOptions } from "./connect.ts";

export type GuardedDispatcherOptions = GuardedConnectorOptions & {
  /** Open connections to one scheme, host and port; more requests wait. */
  connectionsPerOriginMax: number;
  /** How old a connection may be to take another request, milliseconds; then the name is looked up and judged again. */
  connectionAgeMaxMs: number;
  /** How long a connection waits unused, milliseconds. */
  keepAliveMs: number;
};

// Under load undici hands waiting requests to a connection without asking its age; the count bounds that case.
const REQUESTS_PER_CONNECTION_MAX = 1_000;

/** An undici dispatcher that connects to judged addresses only. It knows nothing of the URL rules. */
export function createGuardedDispatcher(options: GuardedDispatcherOptions): Dispatcher {
  return new Agent({
    connect: createGuardedConnector(options),
    connections: options.connectionsPerOriginMax,
    clientTtl: options.connectionAgeMaxMs,
    keepAliveTimeout: options.keepAliveMs,
    keepAliveMaxTimeout: options.connectionAgeMaxMs, // a server's Keep-Alive hint may not ask for more
    maxRequestsPerClient: REQUESTS_PER_CONNECTION_MAX,
    pipelining: 1,
    allowH2: false, // one request a connection: a slow answer never stands in front of another tenant's
  });
}
