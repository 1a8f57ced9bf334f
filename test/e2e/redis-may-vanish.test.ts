import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { createSignals, type Signals } from "../../src/store/signals.ts";
import { Secret } from "../../src/secret.ts";
import { call, fetchToken } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { BOOTSTRAP, buildTenant, testEnvironment, type TestTenant } from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { type SpawnedGateway, spawnGateway } from "../support/spawned-gateway.ts";

/** An api and a worker process over one PostgreSQL and one Redis, which is taken away. */
describe.skipIf(!hasRedis)("Redis (needs redis-server)", () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let simulator: Simulator;
  let receiver: Receiver;
  let api: SpawnedGateway;
  let worker: SpawnedGateway;
  let tenant: TestTenant;
  let hint: Signals;
  const heard: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await startRedis();
    simulator = await startSimulator();
    receiver = await startReceiver();
    const env = {
      ...testEnvironment(),
      DATABASE_URL: database.url,
      D360_BASE_URL: simulator.url,
      REDIS_URL: redis.url,
      REDIS_PREFIX: "wg-test",
    };
    api = await spawnGateway({ ...env, ROLE: "api" });
    worker = await spawnGateway({ ...env, ROLE: "worker" });
    hint = createSignals({ url: new Secret(redis.url), prefix: "wg-test" });
    hint.listen("delivery", () => heard.push("delivery"));
    hint.listen("change", () => heard.push("change"));
    const token = await fetchToken(api.url, BOOTSTRAP);
    const partner = (method: string, path: string, body?: object) =>
      call(api.url, method, path, { token, ...(body !== undefined && { body }) });
    tenant = await buildTenant({ url: api.url, partner, simulator });
    await tenant.call("POST", "/tenant/v1/webhook-endpoints", { body: { url: receiver.url } });
  });
  afterAll(async () => {
    await hint.stop();
    await api.kill("SIGTERM");
    await worker.kill("SIGTERM");
    await simulator.close();
    await receiver.close();
    await redis.stop();
    await redis.remove();
    await database.drop();
  });

  function receiveText(text: string): void {
    simulator.receiveMessage({ phoneNumberId: tenant.phoneNumberId, from: "15550001111", text });
  }

  it("carries hints from process to process", async () => {
    await eventually(() => hint.state() === "ok");
    await eventually(async () => (await readiness(api)) === "200 ready ok");
    await eventually(() => {
      receiveText("hint");
      return heard.includes("delivery");
    });
    await eventually(async () => {
      await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
        body: { url: `${receiver.url}/${heard.length}-${Math.random()}` },
      });
      return heard.includes("change");
    });
    await eventually(() => receiver.received.length > 0);
  });

  it("may vanish: everything goes on, and readiness says degraded; and it may come back", async () => {
    await redis.stop();
    await eventually(async () => (await readiness(api)) === "200 degraded lost");
    await eventually(async () => (await readiness(worker)) === "200 degraded lost");
    const before = receiver.received.length;
    receiveText("without Redis");
    await eventually(() => receiver.received.length > before);
    expect((await tenant.call("GET", "/health_status")).status).toBe(200);
    await redis.start();
    await eventually(async () => (await readiness(api)) === "200 ready ok");
    await eventually(async () => (await readiness(worker)) === "200 ready ok");
  });
});

async function readiness({ url }: SpawnedGateway): Promise<string> {
  const { status, json } = await call(url, "GET", "/readyz");
  return `${status} ${json.status} ${json.checks.redis}`;
}
