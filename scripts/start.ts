import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Config, readConfig } from "../src/config.ts";
import { type RunningGateway, startGateway } from "../src/start-gateway.ts";
import { writeDirections } from "./demo/directions.ts";
import { describeDelivery, showMainJob } from "./demo/main-job.ts";
import { type Receiver, startReceiver } from "./demo/receiver.ts";
import { type DemoTenant, prepareDemoTenant } from "./demo/tenant.ts";
import { heading, live, write } from "./demo/timeline.ts";

/** What development wants, where the environment says nothing else. */
const DEVELOPMENT = {
  // The demo tenant's endpoint listens there.
  ALLOW_PRIVATE_ENDPOINTS: "127.0.0.1",
  // The timeline tells what happens; `LOG_LEVEL=info npm start` shows every line.
  LOG_LEVEL: "warn",
};

async function start(options: { once: boolean }): Promise<void> {
  const stopRequested = untilSignal();
  const startMs = performance.now();
  const given = readConfig(process.env);
  const whyNoDemo = reasonForNoDemo(given);
  if (whyNoDemo !== undefined && options.once) {
    throw new Error(`--once has nothing to show, because ${whyNoDemo}`);
  }
  write(heading("waba-gateway"));
  write();
  if (whyNoDemo !== undefined) {
    await serve(given, { whyNoDemo, stopRequested });
    return;
  }
  const config = readConfig({ ...process.env, ...missing(given) });
  write("  starting …");
  const receiver = await startReceiver();
  try {
    const gateway = await startGateway(config);
    try {
      const startedSeconds = ((performance.now() - startMs) / 1000).toFixed(1);
      const postgres = config.explicit.has("DATABASE_URL") ? "" : "PostgreSQL, ";
      write(`  started ${postgres}a simulated 360dialog and the gateway in ${startedSeconds} s`);
      await demonstrate({ gateway, config, receiver, once: options.once, stopRequested });
    } finally {
      await gateway.stop();
    }
  } finally {
    await receiver.close();
  }
}

/** The gateway alone. */
async function serve(
  config: Config,
  options: { whyNoDemo: string; stopRequested: Promise<void> },
): Promise<void> {
  write(`  no demo, because ${options.whyNoDemo}`);
  const gateway = await startGateway(config);
  const { url, bootstrapClient } = gateway;
  if (bootstrapClient !== undefined && !config.explicit.has("BOOTSTRAP_CLIENT_SECRET")) {
    const secret = bootstrapClient.secret.reveal();
    write(`  partner's client_id ${bootstrapClient.id}, client_secret ${secret}`);
  }
  write(`  listening on ${url}; Ctrl-C stops it`);
  await options.stopRequested;
  await gateway.stop();
}

async function demonstrate(options: {
  gateway: RunningGateway;
  config: Config;
  receiver: Receiver;
  once: boolean;
  stopRequested: Promise<void>;
}): Promise<void> {
  const { gateway, config, receiver, stopRequested } = options;
  const { simulator, bootstrapClient, url } = gateway;
  if (simulator === undefined || bootstrapClient === undefined) {
    throw new Error("the gateway came without a simulator or without a partner client");
  }
  const partner = { id: bootstrapClient.id, secret: bootstrapClient.secret.reveal() };
  const dataDir = resolve(config.DATA_DIR);

  const showAll = async (): Promise<DemoTenant> => {
    const tenant = await prepareDemoTenant({ url, simulator, partner, dataDir, receiver });
    const found = tenant.wasThere ? "found the demo tenant again" : "made a demo tenant";
    write(`  ${found}; its data is in ${config.DATA_DIR}`);
    write();
    write(heading("The main job"));
    write();
    await showMainJob({ url, simulator, tenant, receiver });
    return tenant;
  };
  const tenant = await Promise.race([showAll(), stopRequested]);
  if (tenant === undefined) {
    throw new Error("stopped before the main job was shown");
  }
  if (options.once) {
    return;
  }
  const shownPartner = config.explicit.has("BOOTSTRAP_CLIENT_SECRET")
    ? { ...partner, secret: "(the one in BOOTSTRAP_CLIENT_SECRET)" }
    : partner;
  writeDirections({ url, simulatorUrl: simulator.url, partner: shownPartner, tenant });
  receiver.onDelivery = (delivery) => live.say("endpoint", describeDelivery(delivery));
  receiver.onForgery = (reason) => live.say("endpoint", `refuses a wrong signature: ${reason}`);
  write(heading("Running; Ctrl-C stops everything"));
  write();
  await stopRequested;
  write("\n  stopping …");
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
function untilSignal(): Promise<void> {
  const { promise, resolve: request } = Promise.withResolvers<void>();
  let isRequested = false;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (isRequested) {
        process.exit(1);
      }
      isRequested = true;
      request();
    });
  }
  return promise;
}

/** One line, with the reasons behind it. */
function explain(error: unknown): string {
  const reasons: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    const reason = at.message || at.name;
    if (!reasons.some((known) => known.includes(reason))) {
      reasons.push(reason);
    }
  }
  return reasons.length > 0 ? reasons.join(": ") : String(error);
}

// A terminal that was closed must not keep it from stopping in order.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
try {
  const { values } = parseArgs({ options: { once: { type: "boolean", default: false } } });
  await start(values);
} catch (error) {
  process.stderr.write(`\nnpm start failed: ${explain(error)}\n`);
  process.exitCode = 1;
}
