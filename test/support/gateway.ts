import { randomBytes } from "node:crypto";
import { readConfig } from "../../src/config.ts";
import type { Resolver } from "../../src/outbound/resolve.ts";
import { startGateway } from "../../src/start-gateway.ts";
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../../src/simulator/simulator.ts";
import { type Answer, call, type CallOptions, fetchToken } from "./call.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export type TestGateway = {
  url: string;
  database: TestDatabase;
  simulator: Simulator;
  /** Calls with the partner's token. */
  partner(method: string, path: string, body?: object): Promise<Answer>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
};

export type TestTenant = {
  id: string;
  token: string;
  client: { id: string; secret: string };
  phoneNumberId: string;
  wabaId: string;
  numberId: string;
  /** What 360dialog knows the number by; must be seen nowhere else. */
  apiKey: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
};

export const BOOTSTRAP = { id: "partner", secret: "bootstrap-secret-of-the-tests-0123456789" };

/** What a gateway under test is told; `DATABASE_URL` and the simulator's are added. */
export function testEnvironment(): Record<string, string> {
  return {
    NODE_ENV: "test",
    PORT: "0",
    METRICS_PORT: "0",
    LOG_LEVEL: process.env["TEST_LOG_LEVEL"] ?? "fatal",
    LOG_FORMAT: "json",
    MASTER_KEYS: `test:${randomBytes(32).toString("base64")}`,
    BOOTSTRAP_CLIENT_ID: BOOTSTRAP.id,
    BOOTSTRAP_CLIENT_SECRET: BOOTSTRAP.secret,
    ALLOW_PRIVATE_ENDPOINTS: "127.0.0.1",
    RETRY_SCHEDULE: "100ms,200ms,400ms",
    DATA_DIR: `/tmp/wg-test-${process.pid}`,
  };
}

/** The simulator as the 360dialog of a gateway's environment, with the partner's account there. */
export function environmentOf({ url, partner }: Simulator): Record<string, string> {
  return {
    D360_BASE_URL: url,
    D360_HUB_URL: `${url}/api/v2`,
    D360_PARTNER_ID: partner.partnerId,
    D360_PARTNER_API_KEY: partner.apiKey,
    D360_PLATFORM_SECRET: partner.platformSecret,
  };
}

/**
 * The DNS of the tests: hosts under example.com are at an address that counts as public and that
 * nobody has (the 6bone gave 3ffe::/16 back, RFC 3701), all others nowhere.
 */
export const exampleResolver: Resolver = {
  resolve4: () => Promise.resolve([]),
  resolve6: (host) => Promise.resolve(host.endsWith(".example.com") ? ["3ffe::1"] : []),
};

/** A gateway in this process, over a database and a simulator of its own. */
export async function startTestGateway(
  options: {
    env?: Record<string, string>;
    simulator?: SimulatorOptions;
    resolver?: Resolver;
  } = {},
): Promise<TestGateway> {
  const database = await createTestDatabase();
  const simulator = await startSimulator({ statusDelayMs: 10, ...options.simulator });
  const gateway = await startGateway(
    readConfig({
      ...testEnvironment(),
      DATABASE_URL: database.url,
      ...environmentOf(simulator),
      ...options.env,
    }),
    { resolver: options.resolver ?? exampleResolver },
  );
  const token = await fetchToken(gateway.url, BOOTSTRAP);
  return {
    url: gateway.url,
    database,
    simulator,
    partner: (method, path, body) =>
      call(gateway.url, method, path, { token, ...(body !== undefined && { body }) }),
    call: (method, path, callOptions) => call(gateway.url, method, path, callOptions),
    async stop() {
      await gateway.stop();
      await simulator.close();
      await database.drop();
    },
  };
}

/** A tenant with a client and a running number of its own. */
export async function buildTenant(
  gateway: Pick<TestGateway, "url" | "partner" | "simulator">,
  options: { name?: string; scopes?: string[] } = {},
): Promise<TestTenant> {
  const { url, partner } = gateway;
  const tenant = await partner("POST", "/partner/v1/tenants", { name: options.name ?? "Acme" });
  const id = tenant.json.id as string;
  const made = await partner("POST", `/partner/v1/tenants/${id}/clients`, {
    ...(options.scopes && { scopes: options.scopes }),
  });
  const client = {
    id: made.json.client_id as string,
    secret: made.json.client_secret as string,
  };
  const number = await addNumber(gateway, id);
  const token = await fetchToken(url, client);
  return {
    id,
    client,
    token,
    ...number,
    call: (method, path, callOptions) => call(url, method, path, { token, ...callOptions }),
  };
}

export async function addNumber(
  { partner, simulator }: Pick<TestGateway, "partner" | "simulator">,
  tenantId: string,
): Promise<Pick<TestTenant, "phoneNumberId" | "wabaId" | "numberId" | "apiKey">> {
  const { phoneNumberId, wabaId, displayPhoneNumber, apiKey } = simulator.createNumber();
  const number = await partner("POST", `/partner/v1/tenants/${tenantId}/numbers`, {
    phone_number_id: phoneNumberId,
    display_phone_number: displayPhoneNumber,
    api_key: apiKey,
  });
  if (number.status !== 201) {
    throw new Error(`the number was not taken: ${number.body.toString()}`);
  }
  return { phoneNumberId, wabaId, numberId: number.json.id as string, apiKey };
}

/** A plain text message, as a client of the Cloud API writes it. */
export function textMessage(to: string, text: string): object {
  return {
    messaging_product: "whatsapp",
    recipient_type: "individual",
    to,
    type: "text",
    text: { body: text },
  };
}
