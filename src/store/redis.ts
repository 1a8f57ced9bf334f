import { Redis } from "ioredis";
import type { Secret } from "../secret.ts";

const CONNECT_MS = 2000;
const RECONNECT_MAX_MS = 2000;

/**
 * Opens a connection to a Redis that may vanish at any time: a command that cannot be given now fails
 * now, because everyone who asks Redis can do without it.
 */
export function openRedis(url: Secret, options: { commandTimeoutMs?: number } = {}): Redis {
  const { commandTimeoutMs } = options;
  const redis = new Redis(url.reveal(), {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_MS,
    ...(commandTimeoutMs !== undefined && { commandTimeout: commandTimeoutMs }),
    // At different times, so that the processes of a large gateway do not all come back at once.
    retryStrategy: (tries) => Math.min(tries * 100, RECONNECT_MAX_MS) * (0.5 + Math.random() / 2),
  });
  // Its status is asked for; an event without a listener would end the process.
  redis.on("error", () => {});
  return redis;
}
