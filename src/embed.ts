import { join } from "node:path";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { Secret } from "./secret.ts";
import { type Simulator, startSimulator } from "./simulator/simulator.ts";
import { startEmbeddedPostgres } from "./store/embedded-postgres.ts";
import { type GeneratedSecrets, generatedSecrets } from "./store/generated-secrets.ts";

type Secrets = Pick<GeneratedSecrets, "masterKeys"> & {
  bootstrapClient: GeneratedSecrets["bootstrapClient"] | undefined;
};

/** Those of the environment; outside production what it lacks is made up and kept in `dataDir`. */
export async function findSecrets(config: Config, dataDir: string): Promise<Secrets> {
  const { MASTER_KEYS, BOOTSTRAP_CLIENT_ID: id, BOOTSTRAP_CLIENT_SECRET: secret } = config;
  const lacksSecrets = MASTER_KEYS === undefined || id === undefined;
  const generated =
    lacksSecrets && !config.production ? await generatedSecrets(dataDir) : undefined;
  return {
    masterKeys: MASTER_KEYS ?? generated?.masterKeys ?? [],
    bootstrapClient:
      id !== undefined && secret !== undefined ? { id, secret } : generated?.bootstrapClient,
  };
}

export async function embedPostgres(
  dataDir: string,
  log: Log,
  stack: AsyncDisposableStack,
): Promise<Secret> {
  const postgres = await startEmbeddedPostgres({
    dataDir,
    // Where the data lies is told even to those who asked for warnings only.
    log: (message, fields) =>
      log[message === "postgres.staged" ? "warn" : "info"](fields ?? {}, message),
  });
  stack.defer(postgres.stop);
  return new Secret(postgres.url);
}

export async function embedSimulator(
  config: Config,
  dataDir: string,
  stack: AsyncDisposableStack,
): Promise<Simulator | undefined> {
  if (config.production || config.explicit.has("D360_BASE_URL")) {
    return undefined;
  }
  const simulator = await startSimulator({ stateFile: join(dataDir, "simulator.json") });
  stack.defer(simulator.close);
  return simulator;
}
