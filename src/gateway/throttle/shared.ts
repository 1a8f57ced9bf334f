import { createHash } from "node:crypto";
import { openRedis } from "../../store/redis.ts";
import type { Secret } from "../../secret.ts";

export type Script = { lua: string; sha: string };

/** Redis, as far as the throttle trusts it. */
export type Shared = {
  /** Whether asking is worth while; if not, each process keeps the limits for itself. */
  usable: () => boolean;
  /** Never throws: `undefined` means that no answer came, or none in time. */
  run: (script: Script, keys: string[], args: string[]) => Promise<unknown[] | undefined>;
  /** `absent` where none is configured. */
  state: () => "ok" | "lost" | "absent";
  stop: () => Promise<void>;
};

/** Slower than this is as good as gone: calls wait for the answer. */
const ANSWER_MS = 250;
const PROBE_EVERY_MS = 500;
/** Probes in a row that fail before the connection itself is doubted, and opened anew. */
const FAILURES_MAX = 4;

export const scriptOf = (lua: string): Script => ({
  lua,
  sha: createHash("sha1").update(lua).digest("hex"),
});

export function openShared(url: Secret | undefined): Shared {
  if (url === undefined) {
    return {
      usable: () => false,
      run: async () => undefined,
      state: () => "absent",
      stop: async () => {},
    };
  }
  const redis = openRedis(url, { commandTimeoutMs: ANSWER_MS });
  let trusted = true;
  let stopped = false;
  let probing: NodeJS.Timeout | undefined;

  const usable = (): boolean => trusted && !stopped && redis.status === "ready";

  /** Nobody waits for a Redis that failed once, until it answers a question that nobody waits for. */
  function distrust(failures = 0): void {
    trusted = false;
    probing = setTimeout(() => void probe(failures), PROBE_EVERY_MS).unref();
  }

  async function probe(failures: number): Promise<void> {
    try {
      await redis.ping();
      trusted = true;
    } catch {
      if (stopped) {
        return;
      }
      const isDoubtful = failures + 1 === FAILURES_MAX && redis.status === "ready";
      if (isDoubtful) {
        redis.disconnect(true);
      }
      distrust(isDoubtful ? 0 : failures + 1);
    }
  }

  return {
    usable,
    async run({ lua, sha }, keys, args) {
      if (!usable()) {
        return undefined;
      }
      try {
        return (await redis
          .evalsha(sha, keys.length, ...keys, ...args)
          .catch((error: Error) =>
            error.message.startsWith("NOSCRIPT")
              ? redis.eval(lua, keys.length, ...keys, ...args)
              : Promise.reject(error),
          )) as unknown[];
      } catch {
        if (trusted) {
          distrust();
        }
        return undefined;
      }
    },
    state: () => (usable() ? "ok" : "lost"),
    async stop() {
      stopped = true;
      clearTimeout(probing);
      redis.disconnect();
    },
  };
}
