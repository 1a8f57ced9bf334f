import { keepLooking } from "../clock.ts";
import type { Route } from "../http/route.ts";
import { type Log, logBackgroundFailed, logWriteBehindDropped } from "../log.ts";
import type { Database } from "../store/database.ts";
import { eventRoutes } from "./event-routes.ts";
import { type ApplyEvents, startFollower } from "./follow-events.ts";
import { createMediaIds, type MediaIds, pruneMediaIds } from "./media-ids.ts";
import { createMessageLog, type MessageLog } from "./message-log.ts";
import { messageRoutes } from "./message-routes.ts";
import { recordStatuses } from "./record-statuses.ts";
import { resolveUnknown } from "./resolve-unknown.ts";

export type Records = {
  routes: Route[];
  messageLog: MessageLog;
  mediaIds: MediaIds;
  /** Events have been committed; cheap, and safe to call as often as one likes. */
  poke: () => void;
  /** To be called once an hour. */
  prune: () => Promise<void>;
  /** Once nothing is sent any more: writes what waits. */
  stop: () => Promise<void>;
};

// Past the time for an answer, for what comes before and after it.
const GRACE_MS = 10_000;
const LOOK_WHILE_UNKNOWN_MS = 1000;
// Many thousands, after an outage, are not to keep the database busy.
const REST_RATIO = 10;
// For the sends of a process that died; its other ones are told of by a poke.
const LOOK_EVERY_MS = 10_000;

/** PATH 2c, joined: what events mean, and what became of sends. */
export function openRecords(options: {
  db: Database;
  /** How long 360dialog may take for an answer. */
  upstreamTimeoutMs: number;
  /** Whether this process follows events; of those that do, one at a time. */
  follow: boolean;
  /** What others derive from events, in the same transaction. */
  apply?: readonly ApplyEvents[];
  log: Log;
}): Records {
  const { db, log } = options;
  const onErrorOf = (job: string) => (err: unknown) => logBackgroundFailed(log, { job, err });
  const behind = (name: string) => ({
    db,
    onError: onErrorOf(name),
    onDropped: (count: number) => logWriteBehindDropped(log, { name, count }),
  });

  const resolving = keepLooking(async () => {
    const startedMs = performance.now();
    try {
      const unknownCount = await resolveUnknown(db, {
        sendingMsMax: options.upstreamTimeoutMs + GRACE_MS,
      });
      const tookMs = performance.now() - startedMs;
      return unknownCount > 0
        ? Math.max(LOOK_WHILE_UNKNOWN_MS, tookMs * REST_RATIO)
        : LOOK_EVERY_MS;
    } catch (error) {
      onErrorOf("resolve_unknown")(error);
      return LOOK_EVERY_MS;
    }
  });
  const messageLog = createMessageLog({ ...behind("message_log"), onUnknown: resolving.poke });
  const mediaIds = createMediaIds(behind("media_ids"));
  const follower = options.follow
    ? startFollower({
        db,
        name: "records",
        apply: [recordStatuses, mediaIds.apply, ...(options.apply ?? [])],
        onError: onErrorOf("follow_events"),
      })
    : undefined;
  return {
    routes: [...eventRoutes({ db }), ...messageRoutes({ db })],
    messageLog,
    mediaIds,
    poke: () => follower?.poke(),
    prune: () => pruneMediaIds(db),
    async stop() {
      await follower?.stop();
      await resolving.stop();
      await Promise.all([messageLog.drain(), mediaIds.drain()]);
    },
  };
}
