import type { Secret } from "../secret.ts";
import { openRedis } from "./redis.ts";

/** `delivery`: something may be due. `change`: something was announced in the change feed. */
export type Topic = "delivery" | "change";

/**
 * Hints between the processes of one gateway, over Redis where there is one. They only make things
 * sooner: whoever misses one finds the same in PostgreSQL within a second.
 */
export type Signals = {
  /** Tells the other processes, and of a delivery for which tenants; never waits and never fails. */
  tell: (topic: Topic, tenantIds?: Iterable<string>) => void;
  listen: (topic: Topic, listener: Listener) => void;
  /** `absent` where there is no Redis. */
  state: () => "ok" | "lost" | "absent";
  stop: () => Promise<void>;
};

export type Listener = (tenantIds: string[]) => void;

// A burst of commits is one hint.
const TELL_EVERY_MS = 5;

export function createSignals(options: { url: Secret; prefix: string }): Signals {
  const { url, prefix } = options;
  const listeners = new Map<Topic, Listener>();
  const listen: Signals["listen"] = (topic, listener) => void listeners.set(topic, listener);

  const [speaker, hearer] = [openRedis(url), openRedis(url)];
  hearer.on("ready", () => void hearer.subscribe(prefix).catch(() => {}));
  hearer.on("message", (_channel: string, message: string) => {
    const [topic, ...tenantIds] = message.split(" ");
    listeners.get(topic as Topic)?.(tenantIds);
  });

  const waiting = new Map<Topic, Set<string>>();
  const tell: Signals["tell"] = (topic, tenantIds = []) => {
    const known = waiting.get(topic);
    if (known !== undefined) {
      for (const tenantId of tenantIds) {
        known.add(tenantId);
      }
      return;
    }
    waiting.set(topic, new Set(tenantIds));
    setTimeout(() => {
      const message = [topic, ...(waiting.get(topic) ?? [])].join(" ");
      waiting.delete(topic);
      speaker.publish(prefix, message).catch(() => {});
    }, TELL_EVERY_MS);
  };
  return {
    tell,
    listen,
    state: () => (speaker.status === "ready" && hearer.status === "ready" ? "ok" : "lost"),
    async stop() {
      speaker.disconnect();
      hearer.disconnect();
    },
  };
}
