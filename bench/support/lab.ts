import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { request } from "undici";
import { type Contender, contender } from "./contender.ts";
import { CONTENDERS_CORE, LOAD_CORE, pinLoad } from "./pin.ts";
import { fetchTargets, newMasterKey, populate } from "./population.ts";
import { type BenchPostgres, openPostgres } from "./postgres.ts";
import { startProcess } from "./process.ts";
import { type BenchRedis, findRedis, freePort } from "./redis.ts";
import type { Target } from "./sends.ts";

/** Everything of one run: what contenders need, and the contenders; `close` ends all of it. */
export type Lab = {
  postgres: BenchPostgres;
  redis: BenchRedis | undefined;
  /** For what contenders leave behind; gone at the end. */
  directory: string;
  setUpstreamDelay: (delayMs: number) => Promise<void>;
  startBareRelay: () => Promise<Contender>;
  startFastify: () => Promise<Contender>;
  startGateway: (options?: GatewayOptions) => Promise<Contender>;
  close: () => Promise<void>;
};

export type GatewayOptions = {
  name?: string;
  tenants?: number;
  numbers?: number;
  env?: Record<string, string>;
  nodeArgs?: string[];
  /** All cores instead of one. */
  unpinned?: boolean;
};

/** Enough that no number meets its own limit of sends in a second. */
const NUMBERS = 40;
const TENANTS = 4;
/** As long as a token of ours. */
const TOKEN_BYTES = 640;

export async function openLab(): Promise<Lab> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "wg-bench-"));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  // Closed to others PostgreSQL would have to be staged elsewhere when this runs as root.
  await chmod(directory, 0o755);
  // First, so that PostgreSQL runs beside the load and not on the contender's core.
  pinLoad(LOAD_CORE);
  const postgres = await openPostgres(directory);
  starting.defer(postgres.stop);
  const redis = await findRedis();
  starting.defer(async () => redis?.stop());
  const upstream = await startProcess([file("upstream.ts")], { core: LOAD_CORE });
  starting.defer(upstream.stop);
  const running = starting.move();

  async function startRelay(
    name: string,
    options: { args: string[]; token: string },
  ): Promise<Contender> {
    const relay = await startProcess(options.args, { core: CONTENDERS_CORE });
    running.defer(relay.stop);
    return contender(name, relay, targetsWith(options.token));
  }

  return {
    postgres,
    redis,
    directory,
    async setUpstreamDelay(delayMs) {
      await (await request(`${upstream.url}/delay-ms/${delayMs}`, { method: "PUT" })).body.dump();
    },
    startBareRelay: () =>
      startRelay("bare relay", {
        args: [file("bare-relay.ts"), upstream.url],
        token: randomBytes(TOKEN_BYTES).toString("base64url"),
      }),
    async startFastify() {
      const secret = randomBytes(32).toString("hex");
      const token = await new SignJWT({ tenant_id: "ten_bench", scope: "messages:send" })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(Buffer.from(secret));
      const args = [file("fastify-proxy.ts"), upstream.url, secret];
      return startRelay("fastify", { args, token });
    },
    async startGateway(options = {}) {
      const { tenants = TENANTS, numbers = NUMBERS, nodeArgs = [] } = options;
      const databaseUrl = await postgres.createDatabase();
      const masterKey = newMasterKey();
      const population = await populate({ databaseUrl, masterKey, tenants, numbers });
      const gateway = await startProcess([...nodeArgs, file("../../src/main.ts"), "start"], {
        core: options.unpinned === true ? undefined : CONTENDERS_CORE,
        env: {
          PORT: "0",
          // Switched on, as in production; the default one may be somebody else's.
          METRICS_PORT: String(await freePort()),
          LOG_FORMAT: "json",
          LOG_LEVEL: "info",
          DATABASE_URL: databaseUrl,
          DATA_DIR: directory,
          D360_BASE_URL: upstream.url,
          MASTER_KEYS: `${masterKey.id}:${masterKey.key.reveal()}`,
          ...options.env,
        },
      });
      running.defer(gateway.stop);
      const targets = await fetchTargets(gateway.url, population);
      return contender(options.name ?? "gateway", gateway, targets);
    },
    close: () => running.disposeAsync(),
  };
}

/** For those who know no numbers: paths as ours, each with one token. */
function targetsWith(token: string): Target[] {
  return Array.from({ length: NUMBERS }, (_, index) => ({
    path: `/v23.0/${106_540_352_000_000 + index}/messages`,
    token,
  }));
}

function file(name: string): string {
  return join(import.meta.dirname, name);
}
