import type { ChildProcess } from "node:child_process";
import type { MetricsSnapshot } from "../metrics.ts";
import type { ToFirst } from "./messages.ts";

const ANSWER_WITHIN_MS = 1000;

export type Measuring = {
  /** Every process's figures; one that does not answer in time is left out. */
  ask: () => Promise<MetricsSnapshot[]>;
  answered: (message: Extract<ToFirst, { kind: "measured" }>) => void;
};

export function askEach(others: ReadonlySet<ChildProcess>): Measuring {
  const waiting = new Map<number, (snapshot: MetricsSnapshot | undefined) => void>();
  let lastId = 0;

  function askOne(other: ChildProcess): Promise<MetricsSnapshot | undefined> {
    const id = ++lastId;
    const { promise, resolve } = Promise.withResolvers<MetricsSnapshot | undefined>();
    waiting.set(id, resolve);
    const late = setTimeout(() => resolve(undefined), ANSWER_WITHIN_MS);
    other.send({ kind: "measure", id }, () => {});
    return promise.finally(() => {
      clearTimeout(late);
      waiting.delete(id);
    });
  }

  return {
    async ask() {
      const connected = [...others].filter((other) => other.connected);
      const snapshots = await Promise.all(connected.map(askOne));
      return snapshots.filter((snapshot) => snapshot !== undefined);
    },
    answered: ({ id, snapshot }) => waiting.get(id)?.(snapshot),
  };
}
