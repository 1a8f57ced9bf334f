import { join, resolve } from "node:path";
import { runCommand } from "./cli/run.ts";
import { untilSignal } from "./cli/until-signal.ts";
import { every } from "./clock.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { createUpstream } from "./dialog360/exchange.ts";
import { createMessaging } from "./dialog360/messaging.ts";
import { createOrigins } from "./dialog360/origins.ts";
import { createCommitNotifications } from "./events/commit-notifications.ts";
import { openFanout } from "./fanout/open-fanout.ts";
import { openGateway } from "./gateway/open-gateway.ts";
import { createApp } from "./http/app.ts";
import { loadContract } from "./http/contract.ts";
import { listenWhereFree } from "./http/server.ts";
import { assessReadiness, type Readiness, systemRoutes } from "./http/system-routes.ts";
import { hookRoutes } from "./inbox/hook-routes.ts";
import { createLog, logBackgroundFailed, logListening } from "./log.ts";
import { createOutboundAgent } from "./outbound/agent.ts";
import { parseAllowList } from "./outbound/allow-list.ts";
import { openPartner } from "./partner/open-partner.ts";
import { whyUnusable } from "./outbound/public-url.ts";
import { openRecords } from "./records/open-records.ts";
import { Secret } from "./secret.ts";
import { type Simulator, startSimulator } from "./simulator/simulator.ts";
import { pruneChanges, startChangeFeed } from "./store/change-feed.ts";
import { installationId, isPassingTrouble, openDatabase } from "./store/database.ts";
import { startEmbeddedPostgres } from "./store/embedded-postgres.ts";
import { generatedSecrets } from "./store/generated-secrets.ts";
import { ensurePartitions, migrate, unfitVersion } from "./store/migrate.ts";
import { createSignals } from "./store/signals.ts";
import { openTenancy } from "./tenancy/open-tenancy.ts";
import { findTenantsOfWaba } from "./tenancy/phone-numbers.ts";
import { CannotOpen, createSealer } from "./tenancy/sealing.ts";

/** What stops, and in which order: the last thing started stops first. */
type Stoppers = (() => Promise<unknown>)[];

export type RunningGateway = {
  url: string;
  /** The built-in simulator, where there is one. */
  simulator: Simulator | undefined;
  bootstrapClient: { id: string; secret: Secret } | undefined;
  stop(): Promise<void>;
};

const DRAIN_MS = 25_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Starts everything that this process is to run; nothing is left running when it fails. */
export async function startGateway(config: Config): Promise<RunningGateway> {
  const stoppers: Stoppers = [];
  try {
    return await start(config, stoppers);
  } catch (error) {
    await stopAll(stoppers);
    throw error;
  }
}

async function start(config: Config, stoppers: Stoppers): Promise<RunningGateway> {
  const log = createLog({
    level: config.LOG_LEVEL,
    format: config.LOG_FORMAT ?? (process.stderr.isTTY ? "pretty" : "json"),
  });
  const dataDir = resolve(config.DATA_DIR);
  const contract = loadContract();
  const allowList = named("ALLOW_PRIVATE_ENDPOINTS", () =>
    parseAllowList(config.ALLOW_PRIVATE_ENDPOINTS.join(",")),
  );
  const { MASTER_KEYS, BOOTSTRAP_CLIENT_ID } = config;
  const lacksSecrets = MASTER_KEYS === undefined || BOOTSTRAP_CLIENT_ID === undefined;
  const generated =
    lacksSecrets && !config.production ? await generatedSecrets(dataDir) : undefined;
  const masterKeys = config.MASTER_KEYS ?? generated?.masterKeys ?? [];
  const bootstrapClient =
    config.BOOTSTRAP_CLIENT_ID !== undefined && config.BOOTSTRAP_CLIENT_SECRET !== undefined
      ? { id: config.BOOTSTRAP_CLIENT_ID, secret: config.BOOTSTRAP_CLIENT_SECRET }
      : generated?.bootstrapClient;

  const server = await listenWhereFree({
    port: config.PORT,
    host: config.HOST,
    // A second copy on a developer's machine should start; what was asked for by name should not.
    orAnyPort: !config.production && !config.explicit.has("PORT"),
  });
  stoppers.push(() => server.close({ graceMs: 0 }));
  const url = config.PUBLIC_URL ?? `http://${config.HOST}:${server.port}`;
  const unusableUrl = whyUnusable(url, config.production);
  if (config.production && unusableUrl !== undefined) {
    throw new ConfigError(`PUBLIC_URL: ${JSON.stringify(url)}: ${unusableUrl}`);
  }

  const databaseUrl = config.DATABASE_URL ?? (await embedPostgres(dataDir, log, stoppers));
  const { applied } = await migrate({ url: databaseUrl });
  log.info({ applied }, "database.migrated");
  const onIdleError = (err: unknown): void => logBackgroundFailed(log, { job: "database", err });
  const { db, close: closeDatabase } = openDatabase({ url: databaseUrl, onIdleError });
  stoppers.push(closeDatabase);

  const simulator = await embedSimulator(config, dataDir, stoppers);
  const baseUrl = simulator?.url ?? config.D360_BASE_URL;
  const origins = createOrigins({ baseUrl, allowedOrigins: config.D360_ALLOWED_ORIGINS });
  const sealer = createSealer(masterKeys);
  const feed = startChangeFeed({ db, onError: onIdleError });
  stoppers.push(feed.stop);
  const signals = createSignals({
    url: config.REDIS_URL,
    prefix: config.REDIS_PREFIX ?? `waba-gateway:${await installationId(db)}`,
  });
  stoppers.push(signals.stop);
  signals.listen("change", () => void feed.read());
  const upstream = createUpstream({ timeoutMs: config.D360_TIMEOUT });
  stoppers.push(upstream.close);
  const rules = { allowList, ownHosts: [new URL(url).host] };
  const outbound = createOutboundAgent(rules);
  stoppers.push(outbound.destroy);

  const onJobError = (err: unknown): void => logBackgroundFailed(log, { job: "housekeeping", err });
  const tenancy = await openTenancy({
    db,
    feed,
    sealer,
    url,
    bootstrapClient,
    onError: onJobError,
    tokenLifetimeMs: config.TOKEN_LIFETIME,
  }).catch((error: unknown) => {
    throw error instanceof CannotOpen ? new ConfigError(`MASTER_KEYS: ${error.message}`) : error;
  });
  const policy = { scheduleMs: config.RETRY_SCHEDULE, horizonMs: config.RETRY_HORIZON };
  const fanout = openFanout({ db, sealer, outbound, rules, policy, log });
  const works = config.ROLE !== "api";
  const dispatcher = works ? fanout.startDispatcher() : undefined;
  stoppers.push(async () => dispatcher?.stop({ graceMs: 0 }));
  const records = openRecords({ db, upstreamTimeoutMs: config.D360_TIMEOUT, follow: works, log });
  stoppers.push(records.stop);
  const pokeWorkers = (): void => {
    dispatcher?.poke();
    records.poke();
  };
  signals.listen("delivery", pokeWorkers);
  const everyMinute = every(MINUTE_MS, fanout.settleStragglers, onJobError);
  stoppers.push(everyMinute.stop);
  const hourly = every(
    HOUR_MS,
    async () => {
      await ensurePartitions(db);
      await pruneChanges(db);
      await records.prune();
      await tenancy.rotateSigningKeys();
    },
    onJobError,
  );
  stoppers.push(hourly.stop);

  const commit = createCommitNotifications(db);
  let stopping = false;
  const readiness = async (): Promise<Readiness> => {
    const database = await unfitVersion(db).catch(() => "the database cannot be reached");
    return assessReadiness({ stopping, database, redis: signals.state() });
  };
  const system = systemRoutes({ contract, readiness });
  const routes = [
    ...system,
    ...tenancy.routes,
    ...openPartner({ db, sealer, messaging: createMessaging(upstream), origins, url, unusableUrl }),
    ...fanout.routes,
    ...records.routes,
    ...hookRoutes({
      findHook: tenancy.findHook,
      commit,
      log,
      findTenantsOfWaba: (wabaId) => findTenantsOfWaba(db, wabaId),
      poke() {
        pokeWorkers();
        signals.tell("delivery");
      },
    }),
  ];
  const { authenticate, directory } = tenancy;
  const { webhookSettings } = fanout;
  const path1 = { db, upstream, origins, authenticate, directory, webhookSettings };
  const app = createApp({
    // A worker answers whoever asks how it is, and nobody else.
    ...(config.ROLE === "worker" ? { routes: system } : { routes, whatsApp: openGateway(path1) }),
    contract,
    log,
    guard: tenancy.guard,
    async afterWrite() {
      signals.tell("change");
      await feed.read();
    },
    isPassingTrouble,
  });
  const answer = app.callback();
  server.serve((req, res) => void answer(req, res));
  logListening(log, { url, role: config.ROLE });

  return {
    url,
    simulator,
    bootstrapClient,
    async stop() {
      stopping = true;
      await Promise.all([
        server.close({ graceMs: DRAIN_MS }),
        dispatcher?.stop({ graceMs: DRAIN_MS }),
      ]);
      await commit.drain();
      await stopAll(stoppers);
    },
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

async function stopAll(stoppers: Stoppers): Promise<void> {
  for (const stop of stoppers.toReversed()) {
    await stop();
  }
}

async function embedPostgres(
  dataDir: string,
  log: ReturnType<typeof createLog>,
  stoppers: Stoppers,
): Promise<Secret> {
  const postgres = await startEmbeddedPostgres({
    dataDir,
    // Where the data lies is told even to those who asked for warnings only.
    log: (message, fields) =>
      log[message === "postgres.staged" ? "warn" : "info"](fields ?? {}, message),
  });
  stoppers.push(postgres.stop);
  return new Secret(postgres.url);
}

async function embedSimulator(
  config: Config,
  dataDir: string,
  stoppers: Stoppers,
): Promise<Simulator | undefined> {
  if (config.production || config.explicit.has("D360_BASE_URL")) {
    return undefined;
  }
  const simulator = await startSimulator({ stateFile: join(dataDir, "simulator.json") });
  stoppers.push(simulator.close);
  return simulator;
}

/** What was made up for a developer, who has no other way to know. */
function describeEmbedded(config: Config, gateway: RunningGateway): string {
  const { simulator, bootstrapClient } = gateway;
  const generated = config.explicit.has("BOOTSTRAP_CLIENT_ID") ? undefined : bootstrapClient;
  const client =
    generated && `partner client: ${generated.id}, secret: ${generated.secret.reveal()}\n`;
  const address = simulator && `simulated 360dialog on ${simulator.url}\n`;
  return `${client ?? ""}${address ?? ""}`;
}

/** Runs until a signal: the first one stops in order, a second one at once. */
async function serveUntilSignal(): Promise<void> {
  const config = readConfig(process.env);
  const gateway = await startGateway(config);
  process.stdout.write(`listening on ${gateway.url}\n${describeEmbedded(config, gateway)}`);
  await untilSignal();
  await gateway.stop();
}

async function migrateOnly(): Promise<void> {
  // Nothing else of the environment matters here, in production neither.
  const { DATABASE_URL: url } = readConfig({ DATABASE_URL: process.env["DATABASE_URL"] });
  if (url === undefined) {
    throw new Error("DATABASE_URL: unset, so there is no database to migrate");
  }
  const { applied } = await migrate({ url });
  process.stdout.write(applied.length > 0 ? `ran ${applied.join(", ")}\n` : "nothing to run\n");
}

if (import.meta.main) {
  process.exitCode = await runCommand(
    process.argv.slice(2),
    {
      start: { summary: "run the gateway", run: serveUntilSignal },
      migrate: { summary: "bring the database up to date", run: migrateOnly },
    },
    {
      write: (text) => void process.stdout.write(text),
      writeError: (text) => void process.stderr.write(text),
    },
  );
}
