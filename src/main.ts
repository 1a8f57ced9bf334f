import { runCommand } from "./cli/run.ts";
import { untilSignal } from "./cli/until-signal.ts";
import { type Config, readConfig } from "./config.ts";
import { type RunningGateway, startGateway } from "./start-gateway.ts";
import { migrate } from "./store/migrate.ts";

/** Runs until a signal: the first one stops in order, a second one at once. */
async function serveUntilSignal(): Promise<void> {
  const config = readConfig(process.env);
  const gateway = await startGateway(config);
  process.stdout.write(`listening on ${gateway.url}\n${describeEmbedded(config, gateway)}`);
  await untilSignal();
  await gateway.stop();
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
