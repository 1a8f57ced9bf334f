import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { startPostgresProxy } from "../../test/chaos/postgres-proxy.ts";
import { hasRedis, startRedis } from "../../test/support/redis.ts";
import type { DeliverPart } from "../deliver.ts";
import { writeFigure } from "../support/table.ts";

const SETTLE_MS = 5000;

/**
 * What a process asks PostgreSQL and Redis when nothing happens: each statement counted by a proxy
 * before PostgreSQL, each command by a Redis of its own.
 */
export const idle: DeliverPart = async (lab, { write, seconds }) => {
  const stage = await lab.openStage();
  const url = new URL(stage.databaseUrl);
  const socketDirectory = url.searchParams.get("host");
  const proxy = await startPostgresProxy(() =>
    socketDirectory === null
      ? { host: url.hostname, port: Number(url.port || 5432) }
      : { path: `${socketDirectory}/.s.PGSQL.${url.searchParams.get("port") ?? 5432}` },
  );
  const redis = hasRedis ? await startRedis() : undefined;
  try {
    const user = url.searchParams.get("user") ?? (url.username || "postgres");
    const gateway = await stage.startGateway({
      role: "worker",
      env: {
        DATABASE_URL: `postgres://${user}@127.0.0.1:${proxy.port}${url.pathname}`,
        ...(redis !== undefined && { REDIS_URL: redis.url }),
      },
    });
    await delay(SETTLE_MS);
    const client = redis && new Redis(redis.url);
    const before = { statements: proxy.statements(), commands: await commandsOf(client) };
    await delay(seconds * 1000);
    const statements = proxy.statements() - before.statements;
    const commands = (await commandsOf(client)) - before.commands;
    write(`idle, ${seconds} s of a worker`);
    writeFigure(write, "statements a second", { value: statements / seconds, atMost: 1 });
    if (client !== undefined) {
      writeFigure(write, "Redis commands", { value: commands, atMost: 0 });
    }
    client?.disconnect();
    await gateway.stop();
  } finally {
    await proxy.close();
    await redis?.stop();
    await redis?.remove();
  }
};

/** Without those that ask. */
let asked = 0;
async function commandsOf(client: Redis | undefined): Promise<number> {
  const info = (await client?.info("stats")) ?? "";
  return Number(/total_commands_processed:(\d+)/.exec(info)?.[1] ?? 0) - asked++;
}
