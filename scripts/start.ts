import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Config, readConfig } from "../src/config.ts";
import { type RunningGateway, startGateway } from "../src/main.ts";
import { writeDirections } from "./demo/directions.ts";
import { describeDelivery, showMainJob } from "./demo/main-job.ts";
import { startReceiver } from "./demo/receiver.ts";
import { prepareDemoTenant } from "./demo/tenant.ts";
import { heading, live, write } from "./demo/timeline.ts";

/** What development wants, where the environment says nothing else. */
const DEVELOPMENT = {
  // The demo tenant's endpoint listens there.
  ALLOW_PRIVATE_ENDPOINTS: "127.0.0.1",
  // The timeline tells what happens; `LOG_LEVEL=info npm start` shows every line.
  LOG_LEVEL: "warn",
};

type Stopping = { signal: AbortSignal; requested: Promise<void> };

async function start(options: { once: boolean }): Promise<void> {
  const stopping = stopAtSignal();
  const startMs = performance.now();
  const given = readConfig(process.env);
  const whyNoDemo = reasonForNoDemo(given);
  if (whyNoDemo !== undefined && options.once) {
    throw new Error(`--once has nothing to show: ${whyNoDemo}`);
  }
  const config =
    whyNoDemo === undefined ? readConfig({ ...process.env, ...missing(given) }) : given;
  write(heading("waba-gateway"));
  write();
  write("  starting …");
  const gateway = await startGateway(config);
  try {
    if (whyNoDemo !== undefined) {
      write(`  no demo, because ${whyNoDemo}`);
      write(`  listening on ${gateway.url}; Ctrl-C stops it`);
      await stopping.requested;
      return;
    }
    const startedSeconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const parts = config.explicit.has("DATABASE_URL") ? "" : "PostgreSQL, ";
    write(`  started ${parts}a simulated 360dialog and the gateway in ${startedSeconds} s`);
    await demonstrate({ gateway, config, once: options.once, stopping });
  } finally {
    await gateway.stop();
  }
}

async function demonstrate(options: {
  gateway: RunningGateway;
  config: Config;
  once: boolean;
  stopping: Stopping;
}): Promise<void> {
  const { config, stopping } = options;
  const { simulator, bootstrapClient, url } = options.gateway;
  if (simulator === undefined || bootstrapClient === undefined) {
    throw new Error("the gateway came without a simulator or without a partner client");
  }
  const gateway = { ...options.gateway, simulator };
  const partner = { id: bootstrapClient.id, secret: bootstrapClient.secret.reveal() };
  const dataDir = resolve(config.DATA_DIR);
  const receiver = await startReceiver();
  try {
    const whole = (async () => {
      const tenant = await prepareDemoTenant({
        ...{ gateway, bootstrapClient: partner, dataDir, receiver },
      });
      const found = tenant.wasThere ? "found the demo tenant again" : "made a demo tenant";
      write(`  ${found}; its data is in ${relative(process.cwd(), dataDir) || dataDir}`);
      write();
      write(heading("The main job"));
      write();
      await showMainJob({ url, simulator, tenant, receiver });
      return tenant;
    })();
    const tenant = await Promise.race([whole, refuseAtStop(stopping)]);
    if (options.once) {
      return;
    }
    const secret = config.explicit.has("BOOTSTRAP_CLIENT_SECRET")
      ? "(the one in BOOTSTRAP_CLIENT_SECRET)"
      : partner.secret;
    writeDirections({ url, simulatorUrl: simulator.url, partner: { ...partner, secret }, tenant });
    receiver.onDelivery = (delivery) => live.say("endpoint", describeDelivery(delivery));
    receiver.onForgery = (reason) => live.say("endpoint", `refuses a wrong signature: ${reason}`);
    write(heading("Running; Ctrl-C stops everything"));
    write();
    await stopping.requested;
    write("\n  stopping …");
  } finally {
    await receiver.close();
  }
}

function reasonForNoDemo(config: Config): string | undefined {
  if (config.production) {
    return "NODE_ENV is production";
  }
  return config.explicit.has("D360_BASE_URL")
    ? "D360_BASE_URL is set, and a real 360dialog is not for playing"
    : undefined;
}

function missing(given: Config): Partial<typeof DEVELOPMENT> {
  return Object.fromEntries(
    Object.entries(DEVELOPMENT).filter(([name]) => !given.explicit.has(name)),
  );
}

/** The first signal asks to stop in order, a second one stops at once. */
function stopAtSignal(): Stopping {
  const controller = new AbortController();
  const { promise, resolve: request } = Promise.withResolvers<void>();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) {
        process.exit(1);
      }
      controller.abort();
      request();
    });
  }
  return { signal: controller.signal, requested: promise };
}

async function refuseAtStop({ requested }: Stopping): Promise<never> {
  await requested;
  throw new Error("stopped before the main job was shown");
}

/** One line, with the reasons behind it. */
function explain(error: unknown): string {
  const reasons: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    reasons.push(at.message || at.name);
  }
  return reasons.length > 0 ? [...new Set(reasons)].join(": ") : String(error);
}

try {
  const { values } = parseArgs({ options: { once: { type: "boolean", default: false } } });
  await start(values);
} catch (error) {
  process.stderr.write(`\nnpm start failed: ${explain(error)}\n`);
  process.exitCode = 1;
}
