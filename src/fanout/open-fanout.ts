import type { Route } from "../http/route.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import type { Store } from "../store/open-store.ts";
import type { Sealer } from "../tenancy/sealing.ts";
import { createAttemptDelivery } from "./attempt.ts";
import { claimDeliveries } from "./claim.ts";
import { deliveryRoutes } from "./delivery-routes.ts";
import { type Dispatcher, startDispatcher } from "./dispatcher.ts";
import { endpointActionRoutes } from "./endpoint-action-routes.ts";
import { endpointRoutes } from "./endpoint-routes.ts";
import { createEndpointSecrets } from "./endpoint-secrets.ts";
import { dropOld } from "./drop-old.ts";
import type { RetryPolicy } from "./schedule.ts";
import type { ConditionPolicy } from "./condition.ts";
import { DUE_TENANTS } from "./open-endpoints.ts";
import { replayRoutes } from "./replay-routes.ts";
import { createSaveEndpoint } from "./save-endpoint.ts";
import { settleAttempts } from "./settle-attempts.ts";
import { cancelStragglers } from "./stragglers.ts";
import { createSetDropIn } from "./drop-in-endpoint.ts";
import { createMultiWebhook, type MultiWebhook } from "./multi-webhook.ts";
import { createWebhookSettings, type WebhookSettings } from "./webhook-settings.ts";

export type Fanout = {
  routes: Route[];
  webhookSettings: WebhookSettings;
  multiWebhook: MultiWebhook;
  startDispatcher: () => Dispatcher;
  /** To be called once a minute. */
  cancelStragglers: () => Promise<void>;
  /** To be called once an hour. */
  dropOld: () => Promise<void>;
};

/** PATH 2b, joined: the endpoints' side and the dispatcher that delivers to them. */
export function openFanout(options: {
  db: Database;
  /** Opened with `planOnce`: what claims and settles. */
  planned: Store["planned"];
  feed: ChangeFeed;
  sealer: Sealer;
  outbound: OutboundAgent;
  policy: RetryPolicy;
  /** How long events are kept; older ones cannot be replayed. */
  retentionMs: number;
  conditionPolicy: ConditionPolicy;
  log: Log;
  metrics: Metrics;
}): Fanout {
  const { db, planned, feed, outbound, policy, retentionMs, conditionPolicy, log, metrics } =
    options;
  const endpointSecrets = createEndpointSecrets(options.sealer);
  const setDropIn = createSetDropIn({ endpointSecrets });
  const save = createSaveEndpoint({ db, outbound, endpointSecrets });
  return {
    routes: [
      ...endpointRoutes({ db, save }),
      ...endpointActionRoutes({ db, outbound, endpointSecrets }),
      ...deliveryRoutes({ db }),
      ...replayRoutes({ db, retentionMs }),
    ],
    webhookSettings: createWebhookSettings({ db, outbound, setDropIn }),
    multiWebhook: createMultiWebhook({ db, outbound, setDropIn }),
    cancelStragglers: () => cancelStragglers(db),
    dropOld: () => dropOld({ db, log }, { before: new Date(Date.now() - retentionMs) }),
    startDispatcher() {
      const dispatcher = startDispatcher({
        claim: (limits) => claimDeliveries(planned.inOneTrip, limits),
        attempt: createAttemptDelivery({ outbound, endpointSecrets, policy, log }),
        settle: (settlements) => settleAttempts(planned.db, settlements, conditionPolicy),
        log,
        metrics,
      });
      feed.alsoAsk({
        ask: DUE_TENANTS,
        hear: (tenantIds) => dispatcher.sweep(tenantIds as string[]),
      });
      return dispatcher;
    },
  };
}
