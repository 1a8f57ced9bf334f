import { keepLooking } from "../clock.ts";
import type { Messaging } from "../dialog360/messaging.ts";
import type { Origins } from "../dialog360/origins.ts";
import type { PartnerApi } from "../dialog360/partner.ts";
import type { Route } from "../http/route.ts";
import { type Log, logBackgroundFailed } from "../log.ts";
import type { Secret } from "../secret.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import {
  type ApplyPartnerEvent,
  applyNextPartnerEvent,
  prunePartnerEvents,
  SOMETHING_TO_APPLY,
} from "./hub-events/apply-partner-events.ts";
import { refreshNumber } from "./hub-events/refresh-number.ts";
import { createSeeChannel } from "./hub-events/see-channel.ts";
import { createTakePartnerEvent, type TakePartnerEvent } from "./hub-events/take-partner-event.ts";
import { createConnectNumber } from "./connect-number.ts";
import { hubRoutes } from "./hub-routes.ts";
import { hearPartnerEvent } from "./onboarding/hear-partner-event.ts";
import { onboardingLinkRoutes } from "./onboarding/link-routes.ts";
import { onboardingRoutes } from "./onboarding/onboarding-routes.ts";
import { createRefusals } from "./onboarding/refusals.ts";
import { SOMETHING_TO_ONBOARD, startOnboarding } from "./onboarding/work.ts";

/** What 360dialog tells the partner, what follows from it, and how customers bring their numbers. */
export type Onboarding = {
  routes: Route[];
  takePartnerEvent: TakePartnerEvent;
  /** Applies events and goes on with channels, in a process that does background work. */
  start: () => { stop: () => Promise<void> };
  /** To be called once an hour. */
  prune: () => Promise<void>;
  /** After the last call: writes down what was only counted. */
  stop: () => Promise<void>;
};

const LOOK_ANYWAY_MS = 60_000;
const AFTER_TROUBLE_MS = 1000;

const apply: ApplyPartnerEvent = async (...given) => {
  await refreshNumber(...given);
  await hearPartnerEvent(...given);
};

export function openOnboarding(options: {
  db: Database;
  feed: ChangeFeed;
  sealer: Sealer;
  messaging: Messaging;
  origins: Origins;
  partnerApi: PartnerApi | undefined;
  platformSecret: Secret | undefined;
  /** Our PUBLIC_URL, and why 360dialog could not call it, if it could not. */
  url: string;
  unusableUrl: string | undefined;
  /** How long events are kept. */
  retentionMs: number;
  log: Log;
}): Onboarding {
  const { db, feed, partnerApi, log } = options;
  const onError = (err: unknown): void => logBackgroundFailed(log, { job: "partner_events", err });
  const onChannelError = (err: unknown): void =>
    logBackgroundFailed(log, { job: "onboarding", err });
  const seeChannel = createSeeChannel(options);
  const applying = { db, apply, seeChannel, onError };
  const connect = createConnectNumber(options);
  const refusals = createRefusals({ db, onError: onChannelError });
  const onNoted = (): void => channels?.poke();
  let job: ReturnType<typeof keepLooking> | undefined;
  let channels: ReturnType<typeof startOnboarding> | undefined;

  async function look(): Promise<number> {
    try {
      const wasOne = await applyNextPartnerEvent(applying);
      if (wasOne) {
        channels?.poke();
      }
      return wasOne ? 0 : LOOK_ANYWAY_MS;
    } catch (error) {
      onError(error);
      return AFTER_TROUBLE_MS;
    }
  }

  return {
    routes: [
      ...hubRoutes(options),
      ...onboardingLinkRoutes({ ...options, refusals, onNoted }),
      ...onboardingRoutes({ db, onNoted }),
    ],
    takePartnerEvent: createTakePartnerEvent({ ...options, onStored: () => job?.poke() }),
    prune: () => prunePartnerEvents(db, { before: new Date(Date.now() - options.retentionMs) }),
    stop: refusals.stop,
    start() {
      job = keepLooking(look);
      // For what another process has stored: this one's own events are told of at once.
      feed.pokeWhile(SOMETHING_TO_APPLY, job.poke);
      if (partnerApi !== undefined) {
        channels = startOnboarding({ ...options, connect, partnerApi, onError: onChannelError });
        feed.pokeWhile(SOMETHING_TO_ONBOARD, channels.poke);
      }
      return {
        async stop() {
          await Promise.all([job?.stop(), channels?.stop()]);
        },
      };
    },
  };
}
