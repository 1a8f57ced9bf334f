import { Client } from "undici";
import { ApiError } from "../errors.ts";
import { createConnector, HTTP_1_ONLY } from "./connector.ts";

/** Connections for calls of one kind. A call takes one for itself, and gives it back when it is over. */
export type Connections = {
  /** @throws {ApiError} `overloaded` when every connection that the origin may have is taken */
  take: (origin: string) => Client;
  giveBack: (origin: string, connection: Client) => void;
  /** Cuts all of them. */
  destroy: () => Promise<void>;
};

type OfOrigin = { all: Client[]; free: Client[] };

/**
 * Up to `perOrigin` connections to each origin; each opens itself again when it was closed. What
 * finds none free is refused rather than queued: no deadline counts in a queue, and a send must
 * never stand behind another on a connection that may die, because which of them was executed could
 * not be told. undici's pool looks for a free one among all of them, twice a call.
 */
export function openConnections(options: { perOrigin: number; timeoutMs: number }): Connections {
  const { perOrigin, timeoutMs } = options;
  const settings: Client.Options = {
    ...HTTP_1_ONLY,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: createConnector(),
  };
  const origins = new Map<string, OfOrigin>();

  function open(origin: string, { all }: OfOrigin): Client {
    if (all.length >= perOrigin) {
      throw new ApiError(
        "overloaded",
        `There are ${perOrigin} such calls to 360dialog under way; nothing was sent.`,
        { headers: { "retry-after": "1" } },
      );
    }
    const connection = new Client(origin, settings);
    all.push(connection);
    return connection;
  }

  return {
    take(origin) {
      let ofOrigin = origins.get(origin);
      if (ofOrigin === undefined) {
        ofOrigin = { all: [], free: [] };
        origins.set(origin, ofOrigin);
      }
      // The one that was used last: the others may rest until 360dialog closes them.
      return ofOrigin.free.pop() ?? open(origin, ofOrigin);
    },
    giveBack(origin, connection) {
      origins.get(origin)?.free.push(connection);
    },
    async destroy() {
      const all = [...origins.values()].flatMap((ofOrigin) => ofOrigin.all);
      await Promise.all(all.map((connection) => connection.destroy()));
    },
  };
}
