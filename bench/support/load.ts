import { Connection } from "./connection.ts";
import type { NextRequest } from "./sends.ts";

export type Slice = {
  calls: number;
  seconds: number;
  latenciesMs: number[];
  /** How many answers there were of each status. */
  statuses: Map<number, number>;
  /** The same latencies, by the status of the answer. */
  latenciesOf: Map<number, number[]>;
  /** Calls that were never sent. */
  dropped: number;
};

type LoadOptions = { url: string; next: NextRequest; connections: number; calls: number };

/** A closed loop: so many connections, each sends again as soon as it is answered. */
export function runClosedLoop(options: LoadOptions): Promise<Slice> {
  return run(options, ({ startNext, connections }) => {
    for (const connection of connections) {
      startNext(connection);
    }
    return startNext;
  });
}

/**
 * An open loop: calls come at a rate, whether earlier ones are answered or not. One that finds
 * every connection taken waits, and its wait counts; or it is dropped, where that is asked for. Time
 * counts from when a call was due, so that what keeps this process from sending counts too.
 */
export function runOpenLoop(
  options: LoadOptions & { perSecond: number; dropWhenBusy?: boolean },
): Promise<Slice> {
  const { calls, perSecond, dropWhenBusy = false } = options;
  return run(options, ({ startNext, drop, connections }) => {
    const idle = [...connections];
    const waitingSinceMs: number[] = [];
    const startMs = performance.now();
    let due = 0;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const dueNow = Math.min(calls, Math.floor(((nowMs - startMs) * perSecond) / 1000));
      for (; due < dueNow; due++) {
        const dueMs = startMs + ((due + 1) * 1000) / perSecond;
        const connection = idle.pop();
        if (connection !== undefined) {
          startNext(connection, dueMs);
        } else if (dropWhenBusy) {
          drop();
        } else {
          waitingSinceMs.push(dueMs);
        }
      }
      if (due === calls) {
        clearInterval(timer);
      }
    }, 1);
    return (connection) => {
      const sinceMs = waitingSinceMs.shift();
      if (sinceMs === undefined) {
        idle.push(connection);
      } else {
        startNext(connection, sinceMs);
      }
    };
  });
}

type Loop = {
  connections: readonly Connection[];
  startNext: (connection: Connection, sinceMs?: number) => void;
  drop: () => void;
};

const CONNECT_AT_ONCE = 128;

/**
 * Some after the others: of thousands that one process opens in the same step the system drops some,
 * and tries those again after seconds.
 */
async function connect(
  url: string,
  options: { count: number; onBroken: (error: Error) => void },
): Promise<Connection[]> {
  const { count, onBroken } = options;
  const connections: Connection[] = [];
  while (connections.length < count) {
    const length = Math.min(CONNECT_AT_ONCE, count - connections.length);
    const some = Array.from({ length }, () => new Connection(url, onBroken));
    await Promise.all(some.map(({ connected }) => connected));
    connections.push(...some);
  }
  return connections;
}

/** `begin` starts the first calls and gives what is to happen with a connection that is answered. */
async function run(
  options: LoadOptions,
  begin: (loop: Loop) => (connection: Connection) => void,
): Promise<Slice> {
  const { url, next, calls } = options;
  const { promise: broken, reject: onBroken } = Promise.withResolvers<never>();
  const connecting = connect(url, { count: options.connections, onBroken });
  const connections = await Promise.race([connecting, broken]);
  const ended = new Promise<Slice>((resolve) => {
    const latenciesMs: number[] = [];
    const latenciesOf = new Map<number, number[]>();
    let started = 0;
    let dropped = 0;
    const startedMs = performance.now();

    /** Whether that was the last one. */
    function endAtLast(): boolean {
      if (latenciesMs.length + dropped < calls) {
        return false;
      }
      for (const each of connections) {
        each.close();
      }
      const statuses = new Map([...latenciesOf].map(([status, { length }]) => [status, length]));
      const seconds = (performance.now() - startedMs) / 1000;
      resolve({ calls, seconds, latenciesMs, statuses, latenciesOf, dropped });
      return true;
    }

    function drop(): void {
      dropped++;
      endAtLast();
    }

    function startNext(connection: Connection, sinceMs = performance.now()): void {
      if (started + dropped === calls) {
        return;
      }
      started++;
      connection.send(next(), (status) => {
        const tookMs = performance.now() - sinceMs;
        latenciesMs.push(tookMs);
        const ofStatus = latenciesOf.get(status);
        if (ofStatus === undefined) {
          latenciesOf.set(status, [tookMs]);
        } else {
          ofStatus.push(tookMs);
        }
        if (!endAtLast()) {
          answered(connection);
        }
      });
    }
    const answered = begin({ connections, startNext, drop });
  });
  return Promise.race([ended, broken]);
}
