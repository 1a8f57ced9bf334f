import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HookedTenant, populateHooked, type TenantPlan } from "./hooked.ts";
import { newMasterKey } from "./population.ts";
import { type BenchPostgres, openPostgres } from "./postgres.ts";
import { cpuMsOfTree, residentMiBOfTree } from "./proc.ts";
import { startProcess } from "./process.ts";
import { type BenchRedis, findRedis, freePort } from "./redis.ts";

/** Path 2's lab: PostgreSQL and what runs over it, nothing pinned to a core. */
export type InboundLab = {
  postgres: BenchPostgres;
  redis: BenchRedis | undefined;
  directory: string;
  /** A database of its own, and gateways of any role over it. */
  openStage: () => Promise<Stage>;
  /** A process of the benchmark itself, by its file in `bench/support`. */
  startOwn: (file: string, args?: string[]) => Promise<RunningGateway>;
  close: () => Promise<void>;
};

export type Stage = {
  databaseUrl: string;
  populate: (tenants: readonly TenantPlan[]) => Promise<HookedTenant[]>;
  startGateway: (options: {
    role: "api" | "worker" | "all";
    env?: Record<string, string>;
    nodeArgs?: string[];
  }) => Promise<RunningGateway>;
};

export type RunningGateway = {
  url: string;
  pid: number;
  cpuMs: () => number;
  residentMiB: () => number;
  stop: () => Promise<void>;
};

export async function openInboundLab(): Promise<InboundLab> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "wg-bench-"));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  // Closed to others PostgreSQL would have to be staged elsewhere when this runs as root.
  await chmod(directory, 0o755);
  const postgres = await openPostgres(directory);
  starting.defer(postgres.stop);
  const redis = await findRedis();
  starting.defer(async () => redis?.stop());
  const running = starting.move();

  async function start(args: string[], env: Record<string, string>): Promise<RunningGateway> {
    const { pid, url, stop } = await startProcess(args, { env });
    running.defer(stop);
    return {
      url,
      pid,
      stop,
      cpuMs: () => cpuMsOfTree(pid),
      residentMiB: () => residentMiBOfTree(pid),
    };
  }

  async function openStage(): Promise<Stage> {
    const databaseUrl = await postgres.createDatabase();
    const masterKey = newMasterKey();
    return {
      databaseUrl,
      populate: (tenants) => populateHooked({ databaseUrl, masterKey, tenants }),
      async startGateway({ role, env = {}, nodeArgs = [] }) {
        const main = join(import.meta.dirname, "../../src/main.ts");
        return start([...nodeArgs, main, "start"], {
          PORT: "0",
          // Switched on, as in production; the default one may be somebody else's.
          METRICS_PORT: String(await freePort()),
          LOG_FORMAT: "json",
          LOG_LEVEL: "info",
          ROLE: role,
          DATABASE_URL: databaseUrl,
          DATA_DIR: directory,
          // Nothing is called there: what comes in goes to tenants.
          D360_BASE_URL: "http://127.0.0.1:9",
          ALLOW_PRIVATE_ENDPOINTS: "127.0.0.1",
          MASTER_KEYS: `${masterKey.id}:${masterKey.key.reveal()}`,
          ...env,
        });
      },
    };
  }

  return {
    postgres,
    redis,
    directory,
    openStage,
    startOwn: (file, args = []) => start([join(import.meta.dirname, file), ...args], {}),
    close: () => running.disposeAsync(),
  };
}
