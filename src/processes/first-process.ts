import type { Server } from "node:net";
import type { MetricsSnapshot } from "../metrics.ts";
import type { Signals } from "../store/signals.ts";
import { createHints } from "./hints.ts";
import type { ToFirst, ToOther } from "./messages.ts";

/** What another process knows of the first one. */
export type FirstProcess = {
  signals: Signals;
  /** Says that everything is open. `attach` must take the port at once: it accepts already. */
  askForPort: (attach: (server: Server) => void) => void;
  /** Resolves when the first one says so, and when it is gone. */
  stopRequested: Promise<void>;
  leave: () => void;
};

/** Throws in a process that the first one did not start. */
export function joinFirstProcess(options: {
  measure: () => Promise<MetricsSnapshot>;
}): FirstProcess {
  if (process.send === undefined) {
    throw new Error("only a gateway starts this");
  }
  const hints = createHints(tell);
  const { promise: stopRequested, resolve: requestStop } = Promise.withResolvers<void>();
  let stopping = false;
  let attach: ((server: Server) => void) | undefined;

  async function measureFor(id: number): Promise<void> {
    tell({ kind: "measured", id, snapshot: await options.measure() });
  }

  process.on("message", (message: ToOther, server?: Server) => {
    switch (message.kind) {
      case "serve":
        if (server !== undefined) {
          attach?.(server);
          tell({ kind: "serving" });
        }
        break;
      case "stop":
        stopping = true;
        requestStop();
        break;
      case "hint":
        hints.hear(message);
        break;
      case "measure":
        void measureFor(message.id);
        break;
      default:
        message satisfies never;
    }
  });
  const onFirstGone = (): void => {
    if (stopping) {
      // It was told to end at once, and so are we.
      process.exit(1);
    }
    requestStop();
  };
  process.once("disconnect", onFirstGone);
  return {
    signals: hints.signals,
    askForPort(take) {
      attach = take;
      tell({ kind: "ready" });
    },
    stopRequested,
    leave() {
      process.off("disconnect", onFirstGone);
      if (process.connected) {
        process.disconnect();
      }
    },
  };
}

function tell(message: ToFirst): void {
  if (process.connected) {
    process.send?.(message, undefined, {}, () => {});
  }
}
