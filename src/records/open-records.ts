import { keepLooking } from "../clock.ts";
import type { Route } from "../http/route.ts";
import { type Log, logBackgroundFailed, logWriteBehindDropped } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import type { Authenticate } from "../tenancy/authenticate.ts";
import type { Directory } from "../tenancy/directory.ts";
import { createWantTemplates } from "./create-want-templates.ts";
import { eventRoutes } from "./event-routes.ts";
import {
  type ApplyEvents,
  RECORDS_FOLLOWER,
  somethingToFollow,
  startFollower,
} from "./follow-events.ts";
import { createLedgerJob } from "./ledger/ledger-job.ts";
import { ledgerRoutes } from "./ledger-routes.ts";
import { applyMarketingPreferences } from "./marketing-preferences.ts";
import { createMediaIds, type MediaIds, pruneMediaIds } from "./media-ids.ts";
import { createMessageLog, type MessageLog } from "./message-log.ts";
import { messageRoutes } from "./message-routes.ts";
import { optInRoutes } from "./opt-in-routes.ts";
import { recordStatuses } from "./record-statuses.ts";
import { resolveUnknown } from "./resolve-unknown.ts";
import { createEventStreams, type EventStreams } from "./stream/event-streams.ts";
import { streamRoutes } from "./stream-routes.ts";
import { templateRoutes } from "./template-routes.ts";
import { createTemplateSync, type ListTemplates, SOMETHING_TO_SYNC } from "./template-sync.ts";
import { applyTemplateEvents } from "./templates.ts";
import { createApplyUsage, pruneUsageMessages } from "./usage/apply-usage.ts";
import { usageRoutes } from "./usage-routes.ts";
import { windowRoutes } from "./window-routes.ts";
import { applyWindows } from "./windows.ts";

export type Records = {
  routes: Route[];
  streams: Pick<EventStreams, "poke" | "close">;
  messageLog: MessageLog;
  mediaIds: MediaIds;
  /** Told of a WABA whose cached templates may be stale; not waited for. */
  wantTemplates: (tenantId: string, wabaId: string) => void;
  /** Follows events, in a process that does background work. */
  startFollower: () => { poke: () => void; stop: () => Promise<void> };
  /** To be called once a minute. */
  countLedger: () => Promise<void>;
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
const LOOK_EVERY_MS = 60_000;

/** PATH 2c, joined: what events mean, and what became of sends. */
export function openRecords(options: {
  db: Database;
  /** Opened with `planOnce`: what follows events. */
  planned: Database;
  feed: ChangeFeed;
  /** How long 360dialog may take for an answer. */
  upstreamTimeoutMs: number;
  authenticate: Authenticate;
  directory: Directory;
  listTemplates: ListTemplates;
  retentionMs: number;
  /** What others derive from events, in the same transaction. */
  apply?: readonly ApplyEvents[];
  log: Log;
  metrics: Metrics;
}): Records {
  const { db, feed, directory, listTemplates, log, metrics } = options;
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
  const onSyncError = onErrorOf("template_sync");
  const templateSync = createTemplateSync({ db, directory, listTemplates });
  const syncNow = (): void => void templateSync.syncDue().catch(onSyncError);
  feed.pokeWhile(SOMETHING_TO_SYNC, syncNow);
  const streams = createEventStreams({ db, feed });
  return {
    streams,
    routes: [
      // Before the events, one of which might have the id `stream`.
      ...streamRoutes({ streams, authenticate: options.authenticate }),
      ...eventRoutes({ db }),
      ...messageRoutes({ db }),
      ...windowRoutes({ db }),
      ...optInRoutes({ db }),
      ...ledgerRoutes({ db }),
      ...usageRoutes({ db }),
      ...templateRoutes({ db, poke: syncNow }),
    ],
    messageLog,
    mediaIds,
    wantTemplates: createWantTemplates({ db, poke: syncNow, onError: onSyncError }),
    startFollower() {
      const follower = startFollower({
        db: options.planned,
        name: RECORDS_FOLLOWER,
        apply: [
          recordStatuses,
          mediaIds.apply,
          applyWindows,
          applyMarketingPreferences,
          applyTemplateEvents,
          createApplyUsage(() => new Date()),
          ...(options.apply ?? []),
        ],
        onError: onErrorOf("follow_events"),
      });
      feed.pokeWhile(somethingToFollow(RECORDS_FOLLOWER), follower.poke);
      return follower;
    },
    countLedger: createLedgerJob({ db, log, metrics, retentionMs: options.retentionMs }),
    async prune() {
      await pruneMediaIds(db);
      await pruneUsageMessages(db);
    },
    async stop() {
      await Promise.all([resolving.stop(), templateSync.stop()]);
      await Promise.all([messageLog.drain(), mediaIds.drain()]);
    },
  };
}
