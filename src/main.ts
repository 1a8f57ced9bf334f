import { runCommand } from "./cli/run.ts";
import { untilSignal } from "./cli/until-signal.ts";
import { collectSeldom } from "./collect-seldom.ts";
import { type Config, readConfig } from "./config.ts";
import { auditJob } from "./partner/audit/record-audit.ts";
import { verifyAudit } from "./partner/audit/verify-audit.ts";
import { type RunningGateway, startGateway } from "./start-gateway.ts";
import { type Database, openDatabase } from "./store/database.ts";
import { migrate } from "./store/migrate.ts";
import { resealAll } from "./tenancy/master-keys/reseal.ts";
import { createSealer } from "./tenancy/sealing.ts";

/** Runs until a signal: the first one stops in order, a second one at once. */
async function serveUntilSignal(): Promise<void> {
  collectSeldom();
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

/** Nothing else of the environment matters to these commands, in production neither. */
function readOnly<Name extends "DATABASE_URL" | "MASTER_KEYS">(
  name: Name,
): NonNullable<Config[Name]> {
  const value = readConfig({ [name]: process.env[name] })[name];
  if (value === undefined) {
    throw new Error(`${name}: unset, and this command needs it`);
  }
  return value;
}

async function withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T> {
  // Whoever goes through everything takes longer than a call may.
  const options = { statementTimeoutMs: 0, onIdleError: () => {} };
  const { db, close } = openDatabase({ url: readOnly("DATABASE_URL"), ...options });
  try {
    return await work(db);
  } finally {
    await close();
  }
}

async function verifyChain(args: string[]): Promise<void> {
  const verdict = await withDatabase(verifyAudit);
  const { chained, waiting, head, faults } = verdict;
  const words = [
    ...faults,
    `${chained} entries in the chain, ${waiting} not yet; it ends with ${head || "nothing"}`,
  ];
  const text = args.includes("--json") ? JSON.stringify(verdict) : words.join("\n");
  process.stdout.write(`${text}\n`);
  if (faults.length > 0) {
    throw new Error(`${faults.length} faults in the audit`);
  }
}

async function resealStored(args: string[]): Promise<void> {
  const masterKeys = readOnly("MASTER_KEYS");
  const sealer = createSealer(masterKeys);
  const keyId = masterKeys[0]?.id ?? "";
  const places = await withDatabase((db) =>
    resealAll(db, {
      sealer,
      keyId,
      onBatch: (trx, { place, resealed }) =>
        auditJob(trx, "keys reseal", {
          target: { kind: place },
          before: null,
          after: { kind: keyId, resealed },
        }),
    }),
  );
  const words = places.map(
    ({ place, resealed, unopenable }) =>
      `${place}: ${resealed} sealed anew${unopenable > 0 ? `, ${unopenable} do not open` : ""}`,
  );
  const text = args.includes("--json") ? JSON.stringify(places) : words.join("\n");
  process.stdout.write(`${text}\n`);
  const stuck = places.reduce((sum, { unopenable }) => sum + unopenable, 0);
  if (stuck > 0) {
    throw new Error(
      `${stuck} secrets do not open with these MASTER_KEYS and were left as they are`,
    );
  }
}

async function migrateOnly(): Promise<void> {
  const { applied } = await migrate({ url: readOnly("DATABASE_URL") });
  process.stdout.write(applied.length > 0 ? `ran ${applied.join(", ")}\n` : "nothing to run\n");
}

if (import.meta.main) {
  process.exitCode = await runCommand(
    process.argv.slice(2),
    {
      start: { summary: "run the gateway", run: serveUntilSignal },
      migrate: { summary: "bring the database up to date", run: migrateOnly },
      "keys reseal": {
        summary: "seal everything with the first of MASTER_KEYS, while serving; --json for scripts",
        run: resealStored,
      },
      "audit verify": {
        summary: "find what was changed in the audit or taken out; --json for scripts",
        run: verifyChain,
      },
    },
    {
      write: (text) => void process.stdout.write(text),
      writeError: (text) => void process.stderr.write(text),
    },
  );
}
