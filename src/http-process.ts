import { untilSignal } from "./cli/until-signal.ts";
import { collectSeldom } from "./collect-seldom.ts";
import { readConfig } from "./config.ts";
import { shareServer } from "./http/server.ts";
import { type Log, logBackgroundFailed } from "./log.ts";
import { createMetrics, takeSnapshot } from "./metrics.ts";
import { openLog, openParts } from "./open-parts.ts";
import { partnerOfConfig } from "./partner-account.ts";
import { joinFirstProcess } from "./processes/first-process.ts";

const DRAIN_MS = 25_000;

/** A further process of the HTTP side: `processes/http-processes.ts` starts it and tells how. */
async function serveForFirst(log: Log, config: ReturnType<typeof readConfig>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const metrics = createMetrics();
  const first = joinFirstProcess({ measure: () => takeSnapshot(metrics) });
  stack.defer(first.leave);
  const { PUBLIC_URL: url, DATABASE_URL: databaseUrl, MASTER_KEYS: masterKeys } = config;
  const { BOOTSTRAP_CLIENT_ID: id, BOOTSTRAP_CLIENT_SECRET: secret } = config;
  if (url === undefined || databaseUrl === undefined || masterKeys === undefined) {
    throw new Error("the first process leaves nothing open");
  }
  const parts = await openParts(
    {
      config,
      url,
      databaseUrl,
      masterKeys,
      bootstrapClient: id !== undefined && secret !== undefined ? { id, secret } : undefined,
      baseUrl: config.D360_BASE_URL,
      ...partnerOfConfig(config),
      signals: first.signals,
      log,
      metrics,
    },
    stack,
  );
  const server = shareServer(parts.listener);
  first.askForPort(server.attach);
  await Promise.race([untilSignal(), first.stopRequested]);
  parts.becomeUnready();
  await server.close({ graceMs: DRAIN_MS });
  await parts.drain();
}

collectSeldom();
const config = readConfig(process.env);
const log = openLog(config);
await serveForFirst(log, config).catch((err: unknown) => {
  logBackgroundFailed(log, { job: "http_process", err });
  process.exitCode = 1;
});
