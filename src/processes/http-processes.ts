import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:net";
import type { MetricsSnapshot } from "../metrics.ts";
import type { Signals } from "../store/signals.ts";
import { createHints } from "./hints.ts";
import { askEach } from "./measure.ts";
import type { ToFirst, ToOther } from "./messages.ts";

/**
 * The HTTP side in several processes. The first one takes the port, does what must be done once
 * (embedded servers, generated secrets, migrations, deliveries, housekeeping) and serves like the
 * others. These are told by their environment what it has found or made, open the same modules and
 * get the listening socket itself: the kernel gives a connection to whichever process accepts first,
 * and none passes through another. `cluster`'s round-robin would deal them out evenly, at twice the
 * CPU for each new connection (measured: 230 µs instead of 110). Of 64 kept connections each of two
 * processes usually has a third or more; a burst while one of them is busy may all go to the other.
 * One that dies is replaced; when the first one dies, the others finish their calls and end.
 */
export type HttpProcesses = {
  /** Hints between the processes, where no Redis carries them. */
  signals: Signals;
  /** Starts the others; resolves when all of them serve, rejects when one cannot. */
  start: (options: { server: Server; env: NodeJS.ProcessEnv }) => Promise<void>;
  snapshots: () => Promise<MetricsSnapshot[]>;
  stop: () => Promise<void>;
};

// So that one that cannot start does not try all the time.
const REPLACE_AFTER_MS = 1000;
// Longer than calls under way may take to finish, shorter than 30 s.
const STOP_WITHIN_MS = 27_000;

export function createHttpProcesses(options: {
  /** The file that each runs. */
  entry: string;
  /** Besides the first one. */
  count: number;
  onServing: (fields: { pid: number | undefined }) => void;
  onReplaced: (fields: { pid: number | undefined; ended: number | string | null }) => void;
}): HttpProcesses {
  const { entry, count, onServing, onReplaced } = options;
  const others = new Set<ChildProcess>();
  const measuring = askEach(others);
  const tellAll = (message: ToOther, except?: ChildProcess): void => {
    for (const other of others) {
      if (other !== except) {
        send(other, message);
      }
    }
  };
  const hints = createHints(tellAll);
  let stopping = false;

  /** Resolves when it serves; from then on its end means another in its place. */
  function begin(job: { server: Server; env: NodeJS.ProcessEnv }): Promise<void> {
    return new Promise((resolve, reject) => {
      const other = fork(entry, { env: job.env });
      let serves = false;
      others.add(other);
      other.on("message", (message: ToFirst) => {
        switch (message.kind) {
          case "ready":
            send(other, { kind: "serve" }, job.server);
            break;
          case "serving":
            serves = true;
            onServing({ pid: other.pid });
            resolve();
            break;
          case "hint":
            hints.hear(message);
            tellAll(message, other);
            break;
          case "measured":
            measuring.answered(message);
            break;
          default:
            message satisfies never;
        }
      });
      other.once("error", reject);
      other.once("exit", (code, signal) => {
        others.delete(other);
        reject(new Error(`an HTTP process ended with ${code ?? signal} before it served`));
        if (serves && !stopping) {
          onReplaced({ pid: other.pid, ended: code ?? signal });
          replace(job);
        }
      });
    });
  }

  function replace(job: { server: Server; env: NodeJS.ProcessEnv }): void {
    setTimeout(() => {
      if (!stopping) {
        begin(job).catch(() => replace(job));
      }
    }, REPLACE_AFTER_MS);
  }

  return {
    signals: hints.signals,
    async start(job) {
      await Promise.all(Array.from({ length: count }, () => begin(job)));
    },
    snapshots: measuring.ask,
    async stop() {
      stopping = true;
      await Promise.all([...others].map(stopOne));
    },
  };
}

async function stopOne(other: ChildProcess): Promise<void> {
  const ended = once(other, "exit");
  const late = setTimeout(() => other.kill("SIGKILL"), STOP_WITHIN_MS);
  send(other, { kind: "stop" });
  await ended;
  clearTimeout(late);
}

/** One that has just ended needs to be told nothing more. */
function send(other: ChildProcess, message: ToOther, server?: Server): void {
  if (other.connected) {
    other.send(message, server, {}, () => {});
  }
}
