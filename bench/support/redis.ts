import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export type BenchRedis = { url: string; stop: () => Promise<void> };

const TRIES = 50;
const TRY_EVERY_MS = 100;

/**
 * The server of `REDIS_URL`, else one on the usual port, else one started for the benchmark;
 * `undefined` where none can be had. Whoever uses it has a prefix of its own.
 */
export async function findRedis(): Promise<BenchRedis | undefined> {
  const given = process.env["REDIS_URL"] || "redis://127.0.0.1:6379";
  if (await answersPing(given)) {
    return { url: given, stop: async () => {} };
  }
  return spawnSync("redis-server", ["--version"]).status === 0 ? startRedis() : undefined;
}

async function startRedis(): Promise<BenchRedis | undefined> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", ""];
  const server = spawn("redis-server", settings, { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
  };
  for (let tries = 0; tries < TRIES; tries++) {
    if (await answersPing(url)) {
      return { url, stop };
    }
    await delay(TRY_EVERY_MS);
  }
  await stop();
  return undefined;
}

/** Whether there is a Redis that lets us in without a password. */
function answersPing(url: string): Promise<boolean> {
  const { hostname, port, password } = new URL(url);
  if (password !== "") {
    return Promise.resolve(true);
  }
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 6379), timeout: 1000 });
    const answer = (reached: boolean): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", () => socket.write("PING\r\n"));
    socket.once("data", (chunk) => answer(chunk.toString().startsWith("+PONG")));
    socket.once("error", () => answer(false));
    socket.once("timeout", () => answer(false));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
