import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { call } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { freePort } from "../support/free-port.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  testEnvironment,
  textMessage,
} from "../support/gateway.ts";
import { spawnGateway } from "../support/spawned-gateway.ts";

describe("metrics", () => {
  let port: number;
  let gateway: TestGateway;

  beforeAll(async () => {
    port = await freePort();
    gateway = await startTestGateway({ env: { METRICS_PORT: String(port) } });
  });
  afterAll(() => gateway.stop());

  const shown = () => call(`http://127.0.0.1:${port}`, "GET", "/metrics");

  it("tell of a send by operation and status, and of nobody who made it", async () => {
    const tenant = await buildTenant(gateway);
    await tenant.call("POST", "/messages", { body: textMessage("15550001111", "x") });
    const answer = await shown();
    const text = answer.body.toString();
    expect(answer.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(/^waba_gateway_calls_total\{operation="\w+",status="200",code=""\} 1$/m);
    expect(text).toMatch(/^waba_gateway_upstream_exchanges_total\{kind="answer"\} \d+$/m);
    for (const secret of [tenant.id, tenant.phoneNumberId, tenant.client.id, "15550001111"]) {
      expect(text).not.toContain(secret);
    }
  });

  it("are not on the port that tenants reach", async () => {
    const answer = await gateway.call("GET", "/metrics");
    expect(answer.body.toString()).not.toContain("waba_gateway_");
  });
});

describe("a port for metrics that is taken", () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let holder: TestGateway;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    holder = await startTestGateway({ env: { METRICS_PORT: String(port) } });
    database = await createTestDatabase();
    simulator = await startSimulator({ statuses: [] });
  });
  afterAll(async () => {
    await holder.stop();
    await simulator.close();
    await database.drop();
  });

  const settings = testEnvironment();
  const env = () => ({
    ...settings,
    DATABASE_URL: database.url,
    D360_BASE_URL: simulator.url,
    LOG_LEVEL: "info",
  });

  it("stops the start when it was asked for by name", async () => {
    const failure = await spawnGateway({ ...env(), METRICS_PORT: String(port) }).catch(String);
    expect(failure).toContain(`METRICS_PORT: nothing can listen on ${port}`);
  });

  it("gives way to any other when it was not, and the log names that one", async () => {
    const both = [
      await spawnGateway({ ...env(), METRICS_PORT: "" }),
      await spawnGateway({ ...env(), METRICS_PORT: "" }),
    ];
    for (const copy of both) {
      const line = copy.log.find((text) => text.includes("metrics.listening")) ?? "{}";
      const { url } = JSON.parse(line) as { url: string };
      const { origin } = new URL(url);
      expect((await call(origin, "GET", "/metrics")).status).toBe(200);
    }
    await Promise.all(both.map((copy) => copy.kill("SIGTERM")));
  });
});
