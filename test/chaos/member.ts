import { type SpawnedGateway, spawnGateway } from "../support/spawned-gateway.ts";
import type { PostgresProxy } from "./postgres-proxy.ts";

/** One process of the gateway, started again whenever it dies, and what it has PostgreSQL through. */
export type Member = {
  role: "api" | "worker";
  url: string;
  proxy: PostgresProxy;
  /** SIGKILL; resolves when its successor listens. */
  kill: () => Promise<void>;
  signal: (signal: NodeJS.Signals) => void;
  stop: () => Promise<void>;
};

export async function startMember(options: {
  role: Member["role"];
  port: number;
  proxy: PostgresProxy;
  env: Record<string, string>;
}): Promise<Member> {
  const { role, port, proxy } = options;
  const env = {
    ...options.env,
    ROLE: role,
    PORT: String(port),
    DATABASE_URL: `postgres://postgres@127.0.0.1:${proxy.port}/waba_gateway`,
  };
  const stopping = new AbortController();
  let process = await spawnGateway(env);
  let up = Promise.resolve();
  watch(process);

  function watch(watched: SpawnedGateway): void {
    watched.process.once("exit", () => {
      if (!stopping.signal.aborted) {
        up = revive();
      }
    });
  }

  async function revive(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        process = await spawnGateway(env);
        watch(process);
        return;
      } catch {
        // PostgreSQL may be away just then; a supervisor tries again.
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  return {
    role,
    url: `http://127.0.0.1:${port}`,
    proxy,
    async kill() {
      await process.kill("SIGKILL");
      await up;
    },
    signal: (signal) => void process.process.kill(signal),
    async stop() {
      stopping.abort();
      await up;
      await process.kill("SIGKILL");
    },
  };
}
