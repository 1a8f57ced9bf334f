import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { testEnvironment } from "../support/gateway.ts";
import { spawnGateway } from "../support/spawned-gateway.ts";

const CONNECTIONS = 1500;
const settings = testEnvironment();

/** What the system lets wait at most; it is asked of Linux alone. */
const waitingMax =
  process.platform === "linux"
    ? Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"))
    : Number.NaN;

describe.skipIf(!(waitingMax >= CONNECTIONS))("1,500 connections at once (needs Linux)", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it.each([1, 2])(
    "wait for %i processes that have no time, and are answered",
    async (processes) => {
      await using cleanup = new AsyncDisposableStack();
      const gateway = await spawnGateway({
        ...settings,
        DATABASE_URL: database.url,
        LOG_LEVEL: "info",
        HTTP_PROCESSES: String(processes),
      });
      cleanup.defer(async () => void (await gateway.kill("SIGKILL")));
      const others = await eventually(() => servingPids(gateway.log, processes - 1));
      const pids = [gateway.process.pid ?? 0, ...others];
      pids.forEach((pid) => process.kill(pid, "SIGSTOP"));
      const sockets: Socket[] = [];
      cleanup.defer(() => sockets.forEach((socket) => socket.destroy()));
      for (let count = 0; count < CONNECTIONS; count++) {
        // One by one: thousands in one step are dropped before they come to a process.
        sockets.push(await connected(gateway.url));
      }
      pids.forEach((pid) => process.kill(pid, "SIGCONT"));
      const statuses = await Promise.all(sockets.map(statusOver));
      expect(new Set(statuses)).toEqual(new Set(["HTTP/1.1 200 OK"]));
    },
  );
});

function servingPids(log: readonly string[], count: number): number[] | undefined {
  const pids = log
    .filter((line) => line.includes('"process.serving"'))
    .map((line) => (JSON.parse(line) as { pid: number }).pid);
  return pids.length === count ? pids : undefined;
}

async function connected(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

async function statusOver(socket: Socket): Promise<string> {
  socket.write("GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString("latin1").split("\r\n")[0] ?? "";
}
