import { every } from "./clock.ts";
import type { Config } from "./config.ts";
import { pruneIdentities } from "./events/prune-identities.ts";
import { markXid } from "./events/xid-marks.ts";
import type { Dispatcher } from "./fanout/dispatcher.ts";
import type { openFanout } from "./fanout/open-fanout.ts";
import { pruneIdempotencyKeys } from "./gateway/idempotency/keys.ts";
import { type Log, logBackgroundFailed } from "./log.ts";
import { gaugeAlerts, type Metrics } from "./metrics.ts";
import { countOpenAlerts, pruneAlerts } from "./partner/alerts/read-alerts.ts";
import { chainAudit } from "./partner/audit/chain.ts";
import { pruneHubSyncs } from "./partner/hub-sync/work.ts";
import { pruneImports } from "./partner/imports/work.ts";
import { pruneKeyJobs } from "./partner/keys/key-jobs.ts";
import { pruneLinks } from "./partner/onboarding/links.ts";
import type { Onboarding } from "./partner/open-onboarding.ts";
import type { openPartner } from "./partner/open-partner.ts";
import { pruneRegistrations } from "./partner/registrations/read-registrations.ts";
import { clearSilence } from "./partner/watch/silence.ts";
import type { openRecords } from "./records/open-records.ts";
import { pruneChanges } from "./store/change-feed.ts";
import type { Database } from "./store/database.ts";
import { ensurePartitions } from "./store/migrate.ts";
import type { openTenancy } from "./tenancy/open-tenancy.ts";

export type Background = { stop: (options: { graceMs: number }) => Promise<void> };

/** What runs without a call: deliveries, where this process has the role, and housekeeping. */
export type BackgroundWork = {
  /** Once a gateway. */
  start: () => Background;
  /** There is news of these tenants. */
  poke: (tenantIds: Iterable<string>) => void;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export function createBackground(options: {
  role: Config["ROLE"];
  db: Database;
  tenancy: Awaited<ReturnType<typeof openTenancy>>;
  fanout: ReturnType<typeof openFanout>;
  records: ReturnType<typeof openRecords>;
  onboarding: Onboarding;
  partner: ReturnType<typeof openPartner>;
  log: Log;
  metrics: Metrics;
}): BackgroundWork {
  const { role, db, tenancy, fanout, records, onboarding, partner, log, metrics } = options;
  const onJobError = (err: unknown): void => logBackgroundFailed(log, { job: "housekeeping", err });
  let dispatcher: Dispatcher | undefined;
  let hubEvents: ReturnType<typeof onboarding.start> | undefined;
  let imports: ReturnType<typeof partner.startImports> | undefined;
  let keys: ReturnType<typeof partner.startKeys> | undefined;
  let watch: ReturnType<typeof partner.startWatch> | undefined;
  let follower: ReturnType<typeof records.startFollower> | undefined;

  async function keepWatch(): Promise<void> {
    await markXid(db);
    await pruneIdentities(db, { now: new Date() });
    await fanout.cancelStragglers();
    await records.countLedger();
    await chainAudit(db);
    await clearSilence(db);
    gaugeAlerts(metrics, await countOpenAlerts(db));
    await partner.workOnErasures();
  }

  async function keepHouse(): Promise<void> {
    await ensurePartitions(db);
    await pruneChanges(db);
    await pruneIdempotencyKeys(db);
    await records.prune();
    await pruneRegistrations(db);
    await pruneImports(db);
    await pruneKeyJobs(db);
    await pruneAlerts(db);
    await pruneHubSyncs(db);
    await pruneLinks(db);
    await onboarding.prune();
    await tenancy.renew();
    // Last, because it may wait long for whoever still reads.
    await fanout.dropOld();
  }

  return {
    start() {
      if (role !== "api") {
        dispatcher = fanout.startDispatcher();
        follower = records.startFollower();
        hubEvents = onboarding.start();
        imports = partner.startImports();
        keys = partner.startKeys();
        watch = partner.startWatch();
      }
      const everyMinute = every(MINUTE_MS, keepWatch, onJobError);
      // So soon that a process that is often begun anew does it too.
      const hourly = every(HOUR_MS, keepHouse, onJobError, { firstAfterMs: MINUTE_MS });
      return {
        async stop(stopOptions) {
          await Promise.all([everyMinute.stop(), hourly.stop(), dispatcher?.stop(stopOptions)]);
          const jobs = [follower, hubEvents, imports, keys, watch];
          await Promise.all(jobs.map(async (job) => job?.stop()));
        },
      };
    },
    poke(tenantIds) {
      dispatcher?.poke(tenantIds);
      follower?.poke();
      records.streams.poke(tenantIds);
    },
  };
}
