import { Connection } from "./connection.ts";
import type { NextRequest } from "./sends.ts";

export type Slice = {
  calls: number;
  seconds: number;
  latenciesMs: number[];
  /** How many answers there were of each status. */
  statuses: Map<number, number>;
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
 * every connection taken waits, and its wait counts.
 */
export function runOpenLoop(options: LoadOptions & { perSecond: number }): Promise<Slice> {
  const { calls, perSecond } = options;
  return run(options, ({ startNext, connections }) => {
    const idle = [...connections];
    const waitingSinceMs: number[] = [];
    const startMs = performance.now();
    let due = 0;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const dueNow = Math.min(calls, Math.floor(((nowMs - startMs) * perSecond) / 1000));
      for (; due < dueNow; due++) {
        const connection = idle.pop();
        if (connection === undefined) {
          waitingSinceMs.push(nowMs);
        } else {
          startNext(connection, nowMs);
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
};

/** `begin` starts the first calls and gives what is to happen with a connection that is answered. */
function run(
  options: LoadOptions,
  begin: (loop: Loop) => (connection: Connection) => void,
): Promise<Slice> {
  const { url, next, calls } = options;
  return new Promise((resolve, reject) => {
    const latenciesMs: number[] = [];
    const statuses = new Map<number, number>();
    let started = 0;
    const connections = Array.from(
      { length: options.connections },
      () => new Connection(url, reject),
    );
    const startedMs = performance.now();

    function startNext(connection: Connection, sinceMs = performance.now()): void {
      if (started === calls) {
        return;
      }
      started++;
      connection.send(next(), (status) => {
        const nowMs = performance.now();
        latenciesMs.push(nowMs - sinceMs);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (latenciesMs.length === calls) {
          for (const each of connections) {
            each.close();
          }
          resolve({ calls, seconds: (nowMs - startedMs) / 1000, latenciesMs, statuses });
        } else {
          answered(connection);
        }
      });
    }
    const answered = begin({ connections, startNext });
  });
}
