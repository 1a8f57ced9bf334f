import type { Listener, Signals, Topic } from "../store/signals.ts";
import type { Hint } from "./messages.ts";

export type Hints = {
  /** As over Redis, but between the processes of one machine. */
  signals: Signals;
  hear: (hint: Hint) => void;
};

export function createHints(tell: (hint: Hint) => void): Hints {
  const listeners = new Map<Topic, Listener>();
  return {
    signals: {
      tell: (topic, tenantIds = []) => tell({ kind: "hint", topic, tenantIds: [...tenantIds] }),
      listen: (topic, listener) => void listeners.set(topic, listener),
      state: () => "absent",
      stop: async () => {},
    },
    hear: ({ topic, tenantIds }) => listeners.get(topic)?.(tenantIds),
  };
}
