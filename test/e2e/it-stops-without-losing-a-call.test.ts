import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { call, fetchToken } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { BOOTSTRAP, buildTenant, testEnvironment, textMessage } from "../support/gateway.ts";
import { startReceiver } from "../support/receiver.ts";
import { spawnGateway } from "../support/spawned-gateway.ts";

describe("the gateway", () => {
  let database: TestDatabase;
  let simulator: Simulator;

  beforeAll(async () => {
    database = await createTestDatabase();
    simulator = await startSimulator({ statuses: [] });
  });
  afterAll(async () => {
    await simulator.close();
    await database.drop();
  });

  const settings = testEnvironment();
  const env = () => ({
    ...settings,
    DATABASE_URL: database.url,
    D360_BASE_URL: simulator.url,
  });

  it("told to stop finishes the call under way and exits 0", async () => {
    const gateway = await spawnGateway(env());
    const token = await fetchToken(gateway.url, BOOTSTRAP);
    const partner = (method: string, path: string, body?: object) =>
      call(gateway.url, method, path, { token, ...(body !== undefined && { body }) });
    const tenant = await buildTenant({ url: gateway.url, partner, simulator });
    simulator.failNext({ kind: "delay", delayMs: 700, times: 1 });
    simulator.clearRequests();
    const sending = tenant.call("POST", "/messages", { body: textMessage("15550001111", "x") });
    await eventually(async () => {
      const ready = await call(gateway.url, "GET", "/readyz");
      return ready.status === 200;
    });
    const stopped = gateway.kill("SIGTERM");
    expect((await sending).status).toBe(200);
    expect(await stopped).toBe(0);
    await expect(call(gateway.url, "GET", "/healthz")).rejects.toThrow(/ECONNREFUSED/);
  });

  it("that is killed in the middle of a delivery delivers it again after its lease", async () => {
    const receiver = await startReceiver();
    receiver.answer = () => {};
    const first = await spawnGateway(env());
    const token = await fetchToken(first.url, BOOTSTRAP);
    const partner = (method: string, path: string, body?: object) =>
      call(first.url, method, path, { token, ...(body !== undefined && { body }) });
    const tenant = await buildTenant({ url: first.url, partner, simulator });
    await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: receiver.url, timeout_seconds: 1 },
    });
    simulator.receiveMessage({ phoneNumberId: tenant.phoneNumberId, from: "1", text: "x" });
    await eventually(() => receiver.received.length === 1);
    await first.kill("SIGKILL");
    receiver.answer = (_received, res) => res.writeHead(200).end();
    const second = await spawnGateway(env());
    await eventually(() => receiver.received.length === 2, { withinMs: 15_000 });
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(1);
    expect(receiver.received[1]?.headers["webhook-attempt"]).toBe("2");
    await second.kill("SIGTERM");
    await receiver.close();
  });

  it.each([
    ["PORT", { PORT: "http" }, "a port"],
    ["MASTER_KEYS", { MASTER_KEYS: "k:short" }, "32-byte keys"],
    ["BOOTSTRAP_CLIENT_SECRET", { BOOTSTRAP_CLIENT_SECRET: "too-short" }, "at least 32"],
    ["DATABASE_URL", { NODE_ENV: "production", DATABASE_URL: "" }, "production needs it"],
    [
      "PUBLIC_URL",
      { NODE_ENV: "production", PUBLIC_URL: "https://my_gateway.example.com:8443" },
      "underscore",
    ],
    ["PUBLIC_URL", { NODE_ENV: "production", PUBLIC_URL: "http://127.0.0.1" }, "https"],
    ["ALLOW_PRIVATE_ENDPOINTS", { ALLOW_PRIVATE_ENDPOINTS: "10.0.0.1/8" }, "10.0.0.1/8"],
  ])("does not start with a wrong %s, and says so in one line", async (name, wrong, wanted) => {
    const failure = await spawnGateway({ ...env(), ...wrong }).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(Error);
    const lines = (failure as Error).message
      .split("\n")
      .filter((line) => line.includes("gateway start"));
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain(name);
    expect(lines[0]).toContain(wanted);
    expect(lines[0]).not.toContain("too-short");
    expect(lines[0]).not.toContain("k:short");
  });

  it("does not start with a master key that cannot open what is sealed", async () => {
    const first = await spawnGateway(env());
    await first.kill("SIGTERM");
    const otherKeys = `other:${randomBytes(32).toString("base64")}`;
    const failure = await spawnGateway({ ...env(), MASTER_KEYS: otherKeys }).catch(String);
    expect(failure).toMatch(
      /gateway start: MASTER_KEYS: \d+ of \d+ stored secrets do not open with these keys; the first: sealed with master key "test", which is not configured/,
    );
  });

  it("stays up and not ready while the database is away, and refuses notifications with 503", async () => {
    const own = await createTestDatabase();
    const gateway = await spawnGateway({ ...env(), DATABASE_URL: own.url });
    const token = await fetchToken(gateway.url, BOOTSTRAP);
    const partner = (method: string, path: string, body?: object) =>
      call(gateway.url, method, path, { token, ...(body !== undefined && { body }) });
    const tenant = await buildTenant({ url: gateway.url, partner, simulator });
    const hook = simulator.getNumber(tenant.phoneNumberId).webhook;
    await own.drop();
    const ready = await call(gateway.url, "GET", "/readyz");
    expect([ready.status, ready.json.status]).toEqual([503, "unready"]);
    expect((await call(gateway.url, "GET", "/healthz")).status).toBe(200);
    const answer = await call(gateway.url, "POST", (hook?.url ?? "").slice(gateway.url.length), {
      headers: hook?.headers ?? {},
      body: "{}",
    });
    expect([answer.status, answer.json.code]).toEqual([503, "overloaded"]);
    const asked = await call(gateway.url, "GET", "/partner/v1/tenants", { token });
    expect([asked.status, asked.json.code]).toEqual([503, "overloaded"]);
    expect(await gateway.kill("SIGTERM")).toBe(0);
  });
});
