import type { Client } from "undici";

/** undici's clients, a connection each. An exchange takes one, and gives it back when it is over. */
export type Connections = {
  /** The free one that was used last, or a new one; `undefined` when there are as many as may be. */
  take: (origin: string) => Client | undefined;
  giveBack: (origin: string, connection: Client) => void;
  /** Cuts all of them. */
  destroy: () => Promise<void>;
};

type OfOrigin = { all: Set<Client>; free: Client[] };

/**
 * Up to `perOrigin` connections to each origin, last used first; the others rest until somebody
 * closes them. undici's own pool looks for a free one among all of them, twice a call, and does not
 * ask the age of one that somebody waits for.
 *
 * With `ageMaxMs` one that is older is given to nobody, so that its name is looked up again, and what
 * was closed is forgotten: for origins that anybody names. Without it, what was closed is kept and
 * opens itself again (a new client costs more than its connection): for a few origins of one's own.
 */
export function openConnections(options: {
  open: (origin: string) => Client;
  perOrigin: number;
  ageMaxMs?: number;
}): Connections {
  const { open, perOrigin, ageMaxMs } = options;
  const origins = new Map<string, OfOrigin>();
  /** Since when each is open. */
  const openedAtMs = new WeakMap<Client, number>();

  function openOne(origin: string, ofOrigin: OfOrigin): Client {
    const connection = open(origin);
    origins.set(origin, ofOrigin); // out of which the last one may just have been forgotten
    ofOrigin.all.add(connection);
    if (ageMaxMs !== undefined) {
      watch(origin, ofOrigin, connection);
    }
    return connection;
  }

  function watch(origin: string, ofOrigin: OfOrigin, connection: Client): void {
    connection.on("connect", () => openedAtMs.set(connection, performance.now()));
    connection.on("disconnect", () => {
      openedAtMs.delete(connection);
      const place = ofOrigin.free.indexOf(connection);
      if (place !== -1) {
        ofOrigin.free.splice(place, 1);
        forget(origin, ofOrigin, connection);
      }
    });
  }

  function forget(origin: string, ofOrigin: OfOrigin, connection: Client): void {
    ofOrigin.all.delete(connection);
    if (ofOrigin.all.size === 0) {
      origins.delete(origin);
    }
    void connection.destroy();
  }

  function mayBeUsedAgain(connection: Client): boolean {
    if (ageMaxMs === undefined) {
      return true;
    }
    const sinceMs = openedAtMs.get(connection);
    return sinceMs !== undefined && performance.now() - sinceMs < ageMaxMs;
  }

  return {
    take(origin) {
      const ofOrigin = origins.get(origin) ?? { all: new Set(), free: [] };
      for (let free = ofOrigin.free.pop(); free !== undefined; free = ofOrigin.free.pop()) {
        if (mayBeUsedAgain(free)) {
          return free;
        }
        forget(origin, ofOrigin, free);
      }
      return ofOrigin.all.size < perOrigin ? openOne(origin, ofOrigin) : undefined;
    },
    giveBack(origin, connection) {
      const ofOrigin = origins.get(origin);
      if (ofOrigin === undefined) {
        return;
      }
      if (mayBeUsedAgain(connection)) {
        ofOrigin.free.push(connection);
      } else {
        forget(origin, ofOrigin, connection);
      }
    },
    async destroy() {
      const all = [...origins.values()].flatMap((ofOrigin) => [...ofOrigin.all]);
      await Promise.all(all.map((connection) => connection.destroy()));
    },
  };
}
