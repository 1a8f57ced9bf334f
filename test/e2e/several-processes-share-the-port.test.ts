import { get } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { call, fetchToken } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { BOOTSTRAP, buildTenant, testEnvironment, textMessage } from "../support/gateway.ts";
import { type SpawnedGateway, spawnGateway } from "../support/spawned-gateway.ts";

describe("several HTTP processes", () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let gateway: SpawnedGateway | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    simulator = await startSimulator({ statuses: [] });
  });
  afterEach(async () => {
    if (gateway?.process.exitCode === null && gateway.process.signalCode === null) {
      await gateway.kill("SIGKILL");
    }
  });
  afterAll(async () => {
    await simulator.close();
    await database.drop();
  });

  const settings = testEnvironment();

  async function start(env: Record<string, string> = {}): Promise<SpawnedGateway> {
    gateway = await spawnGateway({
      ...settings,
      DATABASE_URL: database.url,
      D360_BASE_URL: simulator.url,
      LOG_LEVEL: "info",
      HTTP_PROCESSES: "2",
      ...env,
    });
    const { log } = gateway;
    // The log is written in pieces, this line last of the start's.
    await eventually(() => linesOf(log, "gateway.listening").length > 0);
    return gateway;
  }

  it("say once where they listen, and which limits are each one's own", async () => {
    const { log } = await start();
    expect(linesOf(log, "gateway.listening").length).toBe(1);
    expect(linesOf(log, "process.serving").length).toBe(1);
    const [limits] = linesOf(log, "limits.per_process");
    expect(limits).toMatchObject({ processes: 2, limits: expect.arrayContaining(["sends"]) });
  });

  it("each answer calls, while the other one stands still", async () => {
    const { url, process: first, log } = await start();
    const pids = [first.pid ?? 0, otherPid(log)];
    for (const pid of pids) {
      process.kill(pid, "SIGSTOP");
      expect(await statusOverNewConnection(url)).toBe(200);
      process.kill(pid, "SIGCONT");
    }
  });

  it("are counted together", async () => {
    const port = await freePort();
    const { url } = await start({ METRICS_PORT: String(port) });
    const statuses = await Promise.all(
      Array.from({ length: 64 }, () => statusOverNewConnection(url)),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    const metrics = await call(`http://127.0.0.1:${port}`, "GET", "/metrics");
    const count = /^waba_gateway_calls_total\{operation="getHealth".*\} (\d+)$/m.exec(
      metrics.body.toString(),
    );
    expect(count?.[1]).toBe("64");
  });

  it("told to stop finish the calls under way, and the first one exits 0", async () => {
    const started = await start();
    const { url, log } = started;
    const tenant = await tenantAt(url);
    simulator.clearRequests();
    simulator.failNext({ kind: "delay", delayMs: 700, times: 8 });
    const sends = Array.from({ length: 8 }, (_, index) =>
      tenant.call("POST", "/messages", { body: textMessage(`1555000${index}`, "x") }),
    );
    await eventually(() => simulator.requests.length === 8);
    const stopped = started.kill("SIGTERM");
    expect((await Promise.all(sends)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await stopped).toBe(0);
    expect(isRunning(otherPid(log))).toBe(false);
    await expect(call(url, "GET", "/healthz")).rejects.toThrow(/ECONNREFUSED/);
  });

  it("replace one that dies", async () => {
    const { url, log } = await start();
    const pid = otherPid(log);
    process.kill(pid, "SIGKILL");
    await eventually(() => linesOf(log, "process.serving").length === 2, { withinMs: 15_000 });
    expect(linesOf(log, "process.replaced")).toMatchObject([{ pid, ended: "SIGKILL" }]);
    expect(otherPid(log)).not.toBe(pid);
    expect(await statusOverNewConnection(url)).toBe(200);
  });

  it("keep no port when the first one is killed", async () => {
    const started = await start();
    const { url, log } = started;
    await started.kill("SIGKILL");
    await eventually(() => !isRunning(otherPid(log)), { withinMs: 15_000 });
    await expect(call(url, "GET", "/healthz")).rejects.toThrow(/ECONNREFUSED/);
  });

  it("end at once at a second signal", async () => {
    const started = await start();
    const { url, log } = started;
    const tenant = await tenantAt(url);
    simulator.clearRequests();
    simulator.failNext({ kind: "delay", delayMs: 20_000, times: 8 });
    const sends = Array.from({ length: 8 }, (_, index) =>
      tenant.call("POST", "/messages", { body: textMessage(`1555000${index}`, "x") }),
    );
    const cut = Promise.allSettled(sends);
    await eventually(() => simulator.requests.length === 8);
    started.process.kill("SIGTERM");
    await eventually(async () => (await statusOverNewConnection(url).catch(() => 0)) === 0);
    expect(await started.kill("SIGTERM")).toBe(1);
    await eventually(() => !isRunning(otherPid(log)));
    expect((await cut).map(({ status }) => status)).toEqual(Array(8).fill("rejected"));
  });

  async function tenantAt(url: string) {
    const token = await fetchToken(url, BOOTSTRAP);
    const partner = (method: string, path: string, body?: object) =>
      call(url, method, path, { token, ...(body !== undefined && { body }) });
    return buildTenant({ url, partner, simulator });
  }
});

function linesOf(log: readonly string[], message: string): Record<string, unknown>[] {
  return log
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === message);
}

/** The one that serves beside the first, as of now. */
function otherPid(log: readonly string[]): number {
  return Number(linesOf(log, "process.serving").at(-1)?.["pid"]);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A kept connection stays with the process that took it. */
function statusOverNewConnection(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${url}/healthz`, { agent: false }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode));
    }).on("error", reject);
  });
}
