import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { call, fetchToken, revoke } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import {
  BOOTSTRAP,
  buildTenant,
  type TestGateway,
  testEnvironment,
  type TestTenant,
} from "../support/gateway.ts";
import { register, startIdentityProvider } from "../support/identity-provider.ts";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { type SpawnedGateway, spawnGateway } from "../support/spawned-gateway.ts";

const WITHIN_MS = 5000;

/** Two processes of one gateway: what is done at the one must count at the other. */
describe.each([
  { name: "without Redis", withRedis: false },
  { name: "with Redis (needs redis-server)", withRedis: true },
])("what is revoked, $name,", ({ withRedis }) => {
  const skipped = withRedis && !hasRedis;
  let database: TestDatabase;
  let simulator: Simulator;
  let redis: TestRedis | undefined;
  let here: SpawnedGateway;
  let there: SpawnedGateway;
  let partner: TestGateway["partner"];

  beforeAll(async () => {
    if (skipped) {
      return;
    }
    database = await createTestDatabase();
    simulator = await startSimulator();
    redis = withRedis ? await startRedis() : undefined;
    const env = {
      ...testEnvironment(),
      // Their one address, which their tokens name; here each is called at its own.
      PUBLIC_URL: "http://127.0.0.1:9",
      DATABASE_URL: database.url,
      D360_BASE_URL: simulator.url,
      ...(redis && { REDIS_URL: redis.url }),
    };
    [here, there] = [await startProcess(env), await startProcess(env)];
    const token = await fetchToken(here.url, BOOTSTRAP);
    partner = (method, path, body) =>
      call(here.url, method, path, { token, ...(body !== undefined && { body }) });
  });
  afterAll(async () => {
    if (skipped) {
      return;
    }
    await Promise.all([here.kill("SIGTERM"), there.kill("SIGTERM")]);
    await simulator.close();
    await redis?.stop();
    await redis?.remove();
    await database.drop();
  });

  const newTenant = (): Promise<TestTenant> => buildTenant({ url: here.url, partner, simulator });

  /** The token works at both, is remembered by both, and when something ends it, stops at both. */
  async function expectStop(
    token: string,
    end: () => Promise<{ status: number }>,
    expected = "401 token_invalid",
  ): Promise<void> {
    expect([await verdict(here, token), await verdict(there, token)]).toEqual(["200", "200"]);
    expect((await end()).status).toBeLessThan(300);
    expect(await verdict(here, token)).toBe(expected);
    await eventually(async () => (await verdict(there, token)) === expected, {
      withinMs: WITHIN_MS,
    });
  }

  it.skipIf(skipped)("stops everywhere when it is a token", async () => {
    const { client, token } = await newTenant();
    const other = await fetchToken(there.url, client);
    await expectStop(token, () => revoke(here.url, client, token));
    expect([await verdict(here, other), await verdict(there, other)]).toEqual(["200", "200"]);
  });

  it.skipIf(skipped)("stops everywhere when it is a long-lived token", async () => {
    const tenant = await newTenant();
    const make = () => tenant.call("POST", "/tenant/v1/tokens", { body: { name: "tool" } });
    const [first, second] = [(await make()).json, (await make()).json];
    await expectStop(first.token, () => tenant.call("DELETE", `/tenant/v1/tokens/${first.id}`));
    await expectStop(second.token, () => revoke(here.url, tenant.client, second.token));
  });

  it.skipIf(skipped)("stops everywhere with its client", async () => {
    const tenant = await newTenant();
    const { id, client, token } = tenant;
    const longLived = await tenant.call("POST", "/tenant/v1/tokens", { body: { name: "tool" } });
    expect(await verdict(there, longLived.json.token)).toBe("200");
    const path = `/partner/v1/tenants/${id}/clients/${client.id}`;
    await expectStop(token, () => partner("DELETE", path));
    expect(await verdict(there, longLived.json.token)).toBe("401 token_invalid");
  });

  it.skipIf(skipped)("stops everywhere with its tenant", async () => {
    const [suspended, deleted] = [await newTenant(), await newTenant()];
    const path = "/partner/v1/tenants";
    const suspend = () => partner("POST", `${path}/${suspended.id}/suspend`);
    await expectStop(suspended.token, suspend, "403 tenant_suspended");
    await expectStop(deleted.token, () => partner("DELETE", `${path}/${deleted.id}`));
  });

  it.skipIf(skipped)("stops everywhere with its issuer", async () => {
    const { id } = await newTenant();
    const idp = await startIdentityProvider({ audience: "waba" });
    const issuerId = await register({ partner }, idp, { tenant_id: id });
    const token = await idp.sign({ claims: { scope: "numbers:read" } });
    // Registered here a moment ago, so that there it may not be known yet.
    await eventually(async () => (await verdict(there, token)) === "200", { withinMs: WITHIN_MS });
    await expectStop(token, () => partner("DELETE", `/partner/v1/issuers/${issuerId}`));
    await idp.close();
  });
});

async function startProcess(env: Record<string, string>): Promise<SpawnedGateway> {
  const port = await freePort();
  const gateway = await spawnGateway({ ...env, PORT: String(port) });
  return { ...gateway, url: `http://127.0.0.1:${port}` };
}

async function verdict({ url }: SpawnedGateway, token: string): Promise<string> {
  const { status, json } = await call(url, "GET", "/tenant/v1/numbers", { token });
  return `${status} ${json.code ?? ""}`.trim();
}
