import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

/** Whether there is a Redis to be had; without one the tests that need it are skipped, by name. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

export type TestRedis = {
  url: string;
  stop: () => Promise<void>;
  start: () => Promise<void>;
  /** Its directory, when it has stopped for good. */
  remove: () => Promise<void>;
};

/** A Redis of one's own on a free port, to be stopped and started as a test wants. */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), "wg-redis-"));
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess;

  async function start(): Promise<void> {
    const settings = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", dir];
    server = spawn("redis-server", settings, { stdio: "ignore" });
    await eventually(async () => {
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
      redis.on("error", () => {});
      try {
        await redis.connect();
        return (await redis.ping()) === "PONG";
      } finally {
        redis.disconnect();
      }
    });
  }
  await start();
  return {
    url,
    start,
    async stop() {
      if (server.exitCode === null && server.signalCode === null) {
        const ended = once(server, "exit");
        server.kill("SIGKILL");
        await ended;
      }
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
