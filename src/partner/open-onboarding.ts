import { keepLooking } from "../clock.ts";
import type { PartnerApi } from "../dialog360/partner.ts";
import type { Route } from "../http/route.ts";
import { type Log, logBackgroundFailed } from "../log.ts";
import type { Secret } from "../secret.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import {
  applyNextPartnerEvent,
  prunePartnerEvents,
  SOMETHING_TO_APPLY,
} from "./hub-events/apply-partner-events.ts";
import { refreshNumber } from "./hub-events/refresh-number.ts";
import { createSeeChannel } from "./hub-events/see-channel.ts";
import { createTakePartnerEvent, type TakePartnerEvent } from "./hub-events/take-partner-event.ts";
import { hubRoutes } from "./hub-routes.ts";

/** What 360dialog tells the partner, and what follows from it. */
export type Onboarding = {
  routes: Route[];
  takePartnerEvent: TakePartnerEvent;
  /** Applies events, in a process that does background work. */
  start: () => { stop: () => Promise<void> };
  /** To be called once an hour. */
  prune: () => Promise<void>;
};

const LOOK_ANYWAY_MS = 60_000;
const AFTER_TROUBLE_MS = 1000;

export function openOnboarding(options: {
  db: Database;
  feed: ChangeFeed;
  partnerApi: PartnerApi | undefined;
  platformSecret: Secret | undefined;
  /** Our PUBLIC_URL, and why 360dialog could not call it, if it could not. */
  url: string;
  unusableUrl: string | undefined;
  /** How long events are kept. */
  retentionMs: number;
  log: Log;
}): Onboarding {
  const { db, feed, log } = options;
  const onError = (err: unknown): void => logBackgroundFailed(log, { job: "partner_events", err });
  const seeChannel = createSeeChannel(options);
  const applying = { db, apply: refreshNumber, seeChannel, onError };
  let job: ReturnType<typeof keepLooking> | undefined;

  async function look(): Promise<number> {
    try {
      return (await applyNextPartnerEvent(applying)) ? 0 : LOOK_ANYWAY_MS;
    } catch (error) {
      onError(error);
      return AFTER_TROUBLE_MS;
    }
  }

  return {
    routes: hubRoutes(options),
    takePartnerEvent: createTakePartnerEvent({ ...options, onStored: () => job?.poke() }),
    prune: () => prunePartnerEvents(db, { before: new Date(Date.now() - options.retentionMs) }),
    start() {
      job = keepLooking(look);
      // For what another process has stored: this one's own events are told of at once.
      feed.pokeWhile(SOMETHING_TO_APPLY, job.poke);
      return job;
    },
  };
}
