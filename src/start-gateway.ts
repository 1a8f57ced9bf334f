import { join, resolve } from "node:path";
import { type Config, ConfigError } from "./config.ts";
import { embedPostgres, embedSimulator, findSecrets } from "./embed.ts";
import { startMetricsServer } from "./http/metrics-server.ts";
import { listenWhereFree } from "./http/server.ts";
import {
  type Log,
  logListening,
  logMetricsListening,
  logProcessReplaced,
  logProcessServing,
} from "./log.ts";
import { createMetrics, renderMetrics, takeSnapshot } from "./metrics.ts";
import { openLog, openParts } from "./open-parts.ts";
import { countOthers, environmentOfOthers } from "./other-processes.ts";
import { whyUnusable } from "./outbound/public-url.ts";
import type { Resolver } from "./outbound/resolve.ts";
import { findPartner } from "./partner-account.ts";
import { createHttpProcesses } from "./processes/http-processes.ts";
import type { Secret } from "./secret.ts";
import type { Simulator } from "./simulator/simulator.ts";
import { openDatabase } from "./store/database.ts";
import { migrate } from "./store/migrate.ts";
import { countUnopenable } from "./tenancy/master-keys/count-unopenable.ts";
import { createSealer } from "./tenancy/sealing.ts";

export type RunningGateway = {
  url: string;
  /** The built-in simulator, where there is one. */
  simulator: Simulator | undefined;
  bootstrapClient: { id: string; secret: Secret } | undefined;
  stop(): Promise<void>;
};

const DRAIN_MS = 25_000;

/** Starts everything that this process is to run; nothing is left running when it fails. */
export async function startGateway(
  config: Config,
  options: { resolver?: Resolver | undefined } = {},
): Promise<RunningGateway> {
  await using starting = new AsyncDisposableStack();
  const log = openLog(config);
  const dataDir = resolve(config.DATA_DIR);
  const { masterKeys, bootstrapClient } = await findSecrets(config, dataDir);

  const server = await listenWhereFree({
    port: config.PORT,
    host: config.HOST,
    // A second copy on a developer's machine should start; what was asked for by name should not.
    orAnyPort: !config.production && !config.explicit.has("PORT"),
  });
  starting.defer(() => server.close({ graceMs: 0 }));
  const url = config.PUBLIC_URL ?? `http://${config.HOST}:${server.port}`;
  const unusableUrl = whyUnusable(url, config.production);
  if (config.production && unusableUrl !== undefined) {
    throw new ConfigError(`PUBLIC_URL: ${JSON.stringify(url)}: ${unusableUrl}`);
  }
  const metrics = createMetrics();
  const processes = createHttpProcesses({
    entry: join(import.meta.dirname, "http-process.ts"),
    count: countOthers(config, log),
    onServing: (fields) => logProcessServing(log, fields),
    onReplaced: (fields) => logProcessReplaced(log, fields),
  });
  const render = async (): Promise<string> =>
    renderMetrics([await takeSnapshot(metrics), ...(await processes.snapshots())]);
  await showMetrics({ config, render, log }, starting);

  const databaseUrl = config.DATABASE_URL ?? (await embedPostgres(dataDir, log, starting));
  const { applied } = await migrate({ url: databaseUrl });
  log.info({ applied }, "database.migrated");
  await refuseWrongKeys(databaseUrl, masterKeys);
  const simulator = await embedSimulator(config, dataDir, starting);

  const baseUrl = simulator?.url ?? config.D360_BASE_URL;
  const partner = findPartner(config, simulator);
  const found = { url, databaseUrl, masterKeys, bootstrapClient, baseUrl, ...partner };
  const { signals } = processes;
  const parts = await openParts({ config, ...found, ...options, signals, log, metrics }, starting);
  starting.defer(processes.stop);
  await processes.start({ server: server.socket, env: environmentOfOthers(config, found) });
  const background = parts.startBackground();
  starting.defer(() => background.stop({ graceMs: 0 }));
  server.serve(parts.listener);
  logListening(log, { url, role: config.ROLE });

  const running = starting.move();
  return {
    url,
    simulator,
    bootstrapClient,
    async stop() {
      parts.becomeUnready();
      await Promise.all([
        server.close({ graceMs: DRAIN_MS }),
        background.stop({ graceMs: DRAIN_MS }),
        processes.stop(),
      ]);
      await parts.drain();
      await running.disposeAsync();
    },
  };
}

/** @throws {ConfigError} when anything stored does not open: half a gateway is worse than none */
async function refuseWrongKeys(
  url: Secret,
  masterKeys: { id: string; key: Secret }[],
): Promise<void> {
  const { db, close } = openDatabase({ url, connectionsMax: 1, onIdleError: () => {} });
  try {
    const { secrets, unopenable, reason } = await countUnopenable(db, createSealer(masterKeys));
    if (unopenable > 0) {
      throw new ConfigError(
        `MASTER_KEYS: ${unopenable} of ${secrets} stored secrets do not open with these keys; the first: ${reason}`,
      );
    }
  } finally {
    await close();
  }
}

async function showMetrics(
  options: { config: Config; render: () => Promise<string>; log: Log },
  stack: AsyncDisposableStack,
): Promise<void> {
  const { config, render, log } = options;
  const { HOST: host, METRICS_PORT: port } = config;
  if (port === 0) {
    return;
  }
  const orAnyPort = !config.explicit.has("METRICS_PORT");
  const server = await startMetricsServer({ port, host, orAnyPort, render }).catch(
    (cause: unknown) => {
      throw new Error(`METRICS_PORT: nothing can listen on ${port}`, { cause });
    },
  );
  stack.defer(server.close);
  logMetricsListening(log, { url: `http://${host}:${server.port}/metrics`, wantedPort: port });
}
