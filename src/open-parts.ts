import type { RequestListener } from "node:http";
import { type Background, createBackground } from "./background.ts";
import { type Config, ConfigError } from "./config.ts";
import { createUpstream } from "./dialog360/exchange.ts";
import { createMessaging } from "./dialog360/messaging.ts";
import { createOrigins } from "./dialog360/origins.ts";
import { createPartnerApi } from "./dialog360/partner.ts";
import { createCommitNotifications } from "./events/commit-notifications.ts";
import { openFanout } from "./fanout/open-fanout.ts";
import { createGuards } from "./gateway/guards/create-guards.ts";
import { createListTemplatesOfNumber } from "./gateway/guards/list-templates.ts";
import { openGateway } from "./gateway/open-gateway.ts";
import { learnFromStatuses } from "./gateway/throttle/learn-from-statuses.ts";
import { createThrottle } from "./gateway/throttle/throttle.ts";
import { createApp } from "./http/app.ts";
import { loadContract } from "./http/contract.ts";
import { assessReadiness, type Readiness, systemRoutes } from "./http/system-routes.ts";
import { hookRoutes } from "./inbox/hook-routes.ts";
import { createLog, type Log, logBackgroundFailed } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { createOutboundAgent } from "./outbound/agent.ts";
import { parseAllowList } from "./outbound/allow-list.ts";
import { whyUnusable } from "./outbound/public-url.ts";
import type { Resolver } from "./outbound/resolve.ts";
import type { PartnerAccount } from "./partner-account.ts";
import { openOnboarding } from "./partner/open-onboarding.ts";
import { createAudit } from "./partner/audit/record-audit.ts";
import { openPartner } from "./partner/open-partner.ts";
import { createFindDestinationRules } from "./records/destination-rules.ts";
import { findSenderAsPartner } from "./records/find-sender.ts";
import { openRecords } from "./records/open-records.ts";
import type { Secret } from "./secret.ts";
import { isPassingTrouble } from "./store/database.ts";
import { unfitVersion } from "./store/migrate.ts";
import { openStore } from "./store/open-store.ts";
import type { Signals } from "./store/signals.ts";
import { openTenancy } from "./tenancy/open-tenancy.ts";
import { findTenantsOfWaba } from "./tenancy/phone-numbers.ts";
import { CannotOpen, createSealer, deriveKeys } from "./tenancy/sealing.ts";

/** The configuration, and what a start has found or made where it leaves something open. */
export type Circumstances = {
  config: Config;
  /** Our PUBLIC_URL. */
  url: string;
  databaseUrl: Secret;
  masterKeys: { id: string; key: Secret }[];
  bootstrapClient: { id: string; secret: Secret } | undefined;
  /** 360dialog's Messaging API, or the simulator. */
  baseUrl: string;
  /** At 360dialog; `undefined` where the Partner API is not to be called. */
  partnerAccount: PartnerAccount | undefined;
  /** What partner events are signed with. */
  platformSecret: Secret | undefined;
  /** Between the processes of this machine; Redis reaches further. */
  signals: Signals;
  /** Who is asked for the addresses of tenants' hosts; the DNS, if unsaid. */
  resolver?: Resolver | undefined;
  log: Log;
  metrics: Metrics;
};

/** What one process runs; the stack that they were opened with closes them. */
export type Parts = {
  /** Answers calls. */
  listener: RequestListener;
  /** Deliveries, where this process has the role, and housekeeping: once a gateway. */
  startBackground: () => Background;
  /** From now on no more calls should come. */
  becomeUnready: () => void;
  /** After the last call: what calls have left to be written. */
  drain: () => Promise<void>;
};

export function openLog(config: Config): Log {
  return createLog({
    level: config.LOG_LEVEL,
    format: config.LOG_FORMAT ?? (process.stderr.isTTY ? "pretty" : "json"),
  });
}

/** Opens every module and joins them, over a database that is up to date. */
export async function openParts(
  circumstances: Circumstances,
  stack: AsyncDisposableStack,
): Promise<Parts> {
  const { config, url, bootstrapClient, baseUrl, log, metrics } = circumstances;
  const { partnerAccount, platformSecret } = circumstances;
  const contract = loadContract();
  const allowList = named("ALLOW_PRIVATE_ENDPOINTS", () =>
    parseAllowList(config.ALLOW_PRIVATE_ENDPOINTS.join(",")),
  );
  const { db, planned, feed, redis, signals } = await openStore(circumstances, stack);
  const origins = createOrigins({ baseUrl, allowedOrigins: config.D360_ALLOWED_ORIGINS });
  const sealer = createSealer(circumstances.masterKeys);
  const upstream = createUpstream({ timeoutMs: config.D360_TIMEOUT, metrics });
  stack.defer(upstream.close);
  const outbound = createOutboundAgent({
    allowList,
    ownHosts: [new URL(url).host],
    resolver: circumstances.resolver,
  });
  stack.defer(outbound.destroy);

  const onJobError = (err: unknown): void => logBackgroundFailed(log, { job: "housekeeping", err });
  const audit = createAudit({ db, log });
  const tenancy = await openTenancy({
    db,
    audit,
    feed,
    sealer,
    outbound,
    url,
    bootstrapClient,
    onError: onJobError,
    tokenLifetimeMs: config.TOKEN_LIFETIME,
  }).catch((error: unknown) => {
    throw error instanceof CannotOpen ? new ConfigError(`MASTER_KEYS: ${error.message}`) : error;
  });
  const policy = { scheduleMs: config.RETRY_SCHEDULE, horizonMs: config.RETRY_HORIZON };
  const conditionPolicy = {
    holdAfter: config.HOLD_AFTER,
    probeEveryMs: config.PROBE_EVERY,
    disableAfterMs: config.DISABLE_AFTER,
  };
  const fanout = openFanout({
    db,
    planned,
    feed,
    sealer,
    outbound,
    policy,
    retentionMs: config.RETENTION,
    conditionPolicy,
    log,
    metrics,
  });

  const { authenticate, directory } = tenancy;
  const throttle = createThrottle(redis);
  stack.defer(throttle.stop);
  const upstreamTimeoutMs = config.D360_TIMEOUT;
  const records = openRecords({
    db,
    planned: planned.db,
    feed,
    authenticate,
    directory,
    upstreamTimeoutMs,
    listTemplates: createListTemplatesOfNumber({ upstream, origins }),
    apply: [learnFromStatuses(throttle)],
    retentionMs: config.RETENTION,
    log,
    metrics,
  });
  stack.defer(records.stop);

  const hub = {
    partnerApi: partnerAccount && createPartnerApi(upstream, partnerAccount),
    messaging: createMessaging(upstream),
    origins,
    url,
    unusableUrl: whyUnusable(url, config.production),
  };
  const onboarding = openOnboarding({
    ...hub,
    db,
    feed,
    sealer,
    platformSecret,
    retentionMs: config.RETENTION,
    log,
  });
  stack.defer(onboarding.stop);
  const commit = createCommitNotifications(planned.db);
  let stopping = false;
  const afterWrite = async (): Promise<void> => {
    signals.tell("change");
    await feed.read();
  };
  const partner = openPartner({
    db,
    feed,
    sealer,
    ...hub,
    registerIssuer: tenancy.registerIssuer,
    contract,
    afterWrite,
    storageRegion: config.STORAGE_REGION,
    onError: onJobError,
  });
  const works = { tenancy, fanout, records, onboarding, partner };
  const background = createBackground({ role: config.ROLE, db, ...works, log, metrics });
  const { poke } = background;
  signals.listen("delivery", poke);
  const readiness = async (): Promise<Readiness> => {
    const database = await unfitVersion(db).catch(() => "the database cannot be reached");
    return assessReadiness({ stopping, database, redis: signals.state() });
  };
  const system = systemRoutes({ contract, readiness });
  const routes = [
    ...system,
    ...tenancy.routes,
    ...partner.routes,
    ...onboarding.routes,
    ...fanout.routes,
    ...records.routes,
    ...hookRoutes({
      findHook: tenancy.findHook,
      takePartnerEvent: onboarding.takePartnerEvent,
      commit,
      log,
      metrics,
      findTenantsOfWaba: (wabaId) => findTenantsOfWaba(db, wabaId),
      findSender: (message) => findSenderAsPartner(db, message),
      poke(tenantIds) {
        poke(tenantIds);
        signals.tell("delivery", tenantIds);
      },
    }),
  ];
  const whatsApp = openGateway({
    db,
    sealer,
    upstream,
    origins,
    authenticate,
    directory,
    dropIn: fanout,
    audit,
    afterWrite,
    throttle,
    guards: createGuards({
      db,
      findDestinationRules: createFindDestinationRules({ db, feed }),
      wantTemplates: records.wantTemplates,
    }),
    messageLog: records.messageLog,
    mediaIds: records.mediaIds,
    url,
    mediaUrlKeys: deriveKeys(circumstances.masterKeys, "media-url"),
    upstreamTimeoutMs,
    log,
    metrics,
  });
  const app = createApp({
    // A worker answers whoever asks how it is, and nobody else.
    ...(config.ROLE === "worker" ? { routes: system } : { routes, whatsApp }),
    contract,
    log,
    metrics,
    guard: tenancy.guard,
    audit,
    afterWrite,
    isPassingTrouble,
  });

  return {
    listener: (req, res) => void app(req, res),
    startBackground: background.start,
    becomeUnready() {
      stopping = true;
      records.streams.close();
    },
    drain: () => commit.drain(),
  };
}

/** What only the module that uses it can judge is refused like the rest of the environment. */
function named<T>(variable: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new ConfigError(`${variable}: ${(error as Error).message}`, { cause: error });
  }
}
