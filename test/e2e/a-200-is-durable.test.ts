import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { call, fetchToken } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { BOOTSTRAP, buildTenant, testEnvironment, type TestTenant } from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { type SpawnedGateway, spawnGateway } from "../support/spawned-gateway.ts";

const KILLS = 10;
// Each kill is followed by a start, which takes seconds where others use the machine too.
const ALL_KILLS_WITHIN_MS = 180_000;
const NOTIFICATIONS_AT_ONCE = 16;

/**
 * The gateway is killed at random moments while 360dialog posts to it as fast as it answers. Every
 * notification that was answered 200 must reach the tenant's endpoint, once or more.
 */
describe("a notification that was answered 200", () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let receiver: Receiver;
  let gateway: SpawnedGateway;
  let env: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    simulator = await startSimulator();
    receiver = await startReceiver();
    // The hooks' address must survive the restarts, as it does in production.
    const port = await freePort();
    env = {
      ...testEnvironment(),
      PORT: String(port),
      DATABASE_URL: database.url,
      D360_BASE_URL: simulator.url,
    };
    gateway = await spawnGateway(env);
  });
  afterAll(async () => {
    await gateway.kill("SIGTERM");
    await simulator.close();
    await receiver.close();
    await database.drop();
  });

  it(
    `is delivered through ${KILLS} kills of the gateway under load`,
    { timeout: ALL_KILLS_WITHIN_MS },
    async () => {
      const tenant = await setUp(gateway.url, simulator, receiver);
      const hook = simulator.getNumber(tenant.phoneNumberId).webhook;
      if (hook === undefined) {
        throw new Error("no hook was registered");
      }
      const acknowledged: string[] = [];
      let posted = 0;
      const load = new AbortController();

      async function post(): Promise<void> {
        while (!load.signal.aborted) {
          const id = `wamid.${posted++}`;
          const body = JSON.stringify(notification(tenant, id));
          const headers = { ...hook?.headers, "content-type": "application/json" };
          const answer = await fetch(hook?.url ?? "", { method: "POST", headers, body }).catch(
            () => undefined,
          );
          if (answer?.status === 200) {
            acknowledged.push(id);
          } else {
            // Killed or not up again yet: the next one is due in a moment.
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      }

      const posting = Array.from({ length: NOTIFICATIONS_AT_ONCE }, post);
      for (let kills = 0; kills < KILLS; kills++) {
        const before = acknowledged.length;
        await eventually(() => acknowledged.length > before + 100 + Math.random() * 500);
        await gateway.kill("SIGKILL");
        gateway = await spawnGateway(env);
      }
      load.abort();
      await Promise.all(posting);

      const delivered = await eventually(
        () => {
          const ids = new Set(receiver.received.map(({ body }) => messageIdOf(body)));
          return acknowledged.every((id) => ids.has(id)) && ids;
        },
        { withinMs: 40_000 },
      );
      const lost = acknowledged.filter((id) => !delivered.has(id)).length;
      const repeated = receiver.received.length - delivered.size;
      process.stdout.write(
        `${KILLS} kills: ${posted} posted, ${acknowledged.length} acknowledged, ` +
          `${delivered.size} delivered, ${lost} lost, ${repeated} repeated\n`,
      );
      expect(lost).toBe(0);
      expect(acknowledged.length).toBeGreaterThan(KILLS * 100);
      // A repeat carries the id of the first.
      const idsOf = new Map<string, Set<unknown>>();
      for (const { body, headers } of receiver.received) {
        const ids = idsOf.get(messageIdOf(body)) ?? new Set();
        idsOf.set(messageIdOf(body), ids.add(headers["webhook-id"]));
      }
      expect([...idsOf.values()].every((ids) => ids.size === 1)).toBe(true);
    },
  );
});

async function setUp(url: string, simulator: Simulator, receiver: Receiver): Promise<TestTenant> {
  const token = await fetchToken(url, BOOTSTRAP);
  const partner = (method: string, path: string, body?: object) =>
    call(url, method, path, { token, ...(body !== undefined && { body }) });
  const tenant = await buildTenant({ url, partner, simulator });
  await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
    body: { url: receiver.url, timeout_seconds: 1, max_in_flight: 50 },
  });
  return tenant;
}

function notification(tenant: TestTenant, id: string): object {
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550000000", phone_number_id: tenant.phoneNumberId },
    messages: [
      { from: "15550001111", id, timestamp: "1700000000", type: "text", text: { body: id } },
    ],
  };
  const changes = [{ field: "messages", value }];
  return { object: "whatsapp_business_account", entry: [{ id: tenant.wabaId, changes }] };
}

function messageIdOf(body: Buffer): string {
  const parsed = JSON.parse(body.toString()) as {
    entry: { changes: { value: { messages: { id: string }[] } }[] }[];
  };
  return parsed.entry[0]?.changes[0]?.value.messages[0]?.id ?? "";
}

async function freePort(): Promise<number> {
  const receiver = await startReceiver();
  await receiver.close();
  return Number(new URL(receiver.url).port);
}
