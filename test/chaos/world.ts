import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerResponse } from "node:http";
import { Client } from "pg";
import { type HookedTenant, populateHooked } from "../../bench/support/hooked.ts";
import { Secret } from "../../src/secret.ts";
import { migrate } from "../../src/store/migrate.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { type DnsServer, startDnsServer } from "./dns-server.ts";
import { type Member, startMember } from "./member.ts";
import { type OwnPostgres, startOwnPostgres } from "./own-postgres.ts";
import { startPostgresProxy } from "./postgres-proxy.ts";
import { startSender } from "./sender.ts";
import { createTally, type Row } from "./tally.ts";

export const ENDPOINTS = ["/one", "/two", "/by-name"];
const BY_NAME = "receiver.chaos.test";
const TIMEOUT_SECONDS = 3;
/** A lease, what it may take to be seen, and the tries after it, where others use the machine too. */
const SETTLED_WITHIN_MS = 150_000;
const POST_EVERY_MS = 15;

/** Two api and two worker processes over one PostgreSQL and one Redis, all of its own. */
export type World = {
  apis: Member[];
  workers: Member[];
  postgres: OwnPostgres;
  /** `undefined` where no Redis is to be had. */
  redis: TestRedis | undefined;
  dns: DnsServer;
  receiver: Receiver;
  /** How deliveries are answered until the next call; 200 at once without one. */
  answerBy: (answer?: (received: Received, res: ServerResponse) => void) => void;
  query: (sql: string) => Promise<number>;
  /** Under load, one trouble; all that was posted is answered 200 when it returns. */
  during: (name: string, trouble: () => Promise<void>) => Promise<void>;
  /** Waits until everything that was acknowledged has arrived, or for as long as that may take. */
  settle: () => Promise<Row[]>;
  /** What still waits, and for whom: tells what is late from what is gone. */
  waiting: () => Promise<string>;
  acknowledged: () => number;
  close: () => Promise<void>;
};

export async function openWorld(): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const postgres = await startOwnPostgres();
  starting.defer(postgres.stop);
  const redis = hasRedis ? await startRedis() : undefined;
  starting.defer(async () => {
    await redis?.stop();
    await redis?.remove();
  });
  const dns = await startDnsServer();
  starting.defer(async () => dns.close());
  const receiver = await startReceiver();
  starting.defer(() => receiver.close());
  await migrate({ url: new Secret(postgres.url()) });
  const masterKey = { id: "chaos", key: new Secret(randomBytes(32).toString("base64")) };
  const [tenant] = await populateHooked({
    databaseUrl: postgres.url(),
    masterKey,
    tenants: [{ numbers: 4, endpoints: ENDPOINTS.map((path) => endpointAt(receiver, path)) }],
  });
  const dataDir = await mkdtemp(join(tmpdir(), "wg-chaos-data-"));
  starting.defer(() => rm(dataDir, { recursive: true, force: true }));
  const port = await freePort();
  const env = {
    NODE_ENV: "test",
    METRICS_PORT: "0",
    LOG_LEVEL: process.env["TEST_LOG_LEVEL"] ?? "fatal",
    LOG_FORMAT: "json",
    MASTER_KEYS: `${masterKey.id}:${masterKey.key.reveal()}`,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    D360_BASE_URL: "http://127.0.0.1:9",
    ALLOW_PRIVATE_ENDPOINTS: `127.0.0.1,${BY_NAME}`,
    RETRY_SCHEDULE: "100ms,200ms,400ms,1s",
    PROBE_EVERY: "500ms",
    // On a busy machine answers come late by themselves, and a held endpoint's probes grow to five
    // minutes apart: longer than a test can wait. The trouble that holds one does so by failing at once.
    HOLD_AFTER: "500",
    DATA_DIR: dataDir,
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "other-world.mjs")}`,
    CHAOS_DNS_SERVER: dns.address,
    ...(redis !== undefined && { REDIS_URL: redis.url, REDIS_PREFIX: "wg-chaos" }),
  };
  async function member(role: Member["role"]): Promise<Member> {
    const proxy = await startPostgresProxy(() => ({ path: postgres.socketPath() }));
    const started = await startMember({ role, port: await freePort(), proxy, env });
    starting.defer(async () => {
      await started.stop();
      await proxy.close();
    });
    return started;
  }
  const apis = [await member("api"), await member("api")];
  const workers = [await member("worker"), await member("worker")];
  return worldOf({ postgres, redis, dns, receiver, apis, workers, tenant, close: starting.move() });
}

function endpointAt(receiver: Receiver, path: string) {
  const url = new URL(path, receiver.url);
  if (path === "/by-name") {
    url.hostname = BY_NAME;
  }
  return { url: url.href, timeout_seconds: TIMEOUT_SECONDS, max_in_flight: 50 };
}

function worldOf(
  parts: Pick<World, "postgres" | "redis" | "dns" | "receiver" | "apis" | "workers"> & {
    tenant: HookedTenant | undefined;
    close: AsyncDisposableStack;
  },
): World {
  const { receiver, apis, postgres, tenant } = parts;
  const tally = createTally(ENDPOINTS);
  let answer: ((received: Received, res: ServerResponse) => void) | undefined;
  receiver.answer = (received, res) => {
    // A name is looked up once a connection.
    res.setHeader("connection", received.url === "/by-name" ? "close" : "keep-alive");
    tally.receive(received.url, messageIdOf(received.body), String(received.headers["webhook-id"]));
    receiver.received.length = 0;
    if (answer === undefined) {
      res.writeHead(200).end();
    } else {
      answer(received, res);
    }
  };
  return {
    ...parts,
    acknowledged: tally.acknowledged,
    answerBy(next) {
      answer = next;
    },
    async query(sql) {
      const client = new Client({ connectionString: postgres.url() });
      await client.connect();
      try {
        return (await client.query(sql)).rowCount ?? 0;
      } finally {
        await client.end();
      }
    },
    async during(name, trouble) {
      const sender = startSender({
        urls: apis.map(({ url }) => url),
        numbers: tenant?.numbers ?? [],
        everyMs: POST_EVERY_MS,
        onAcknowledged: (id) => tally.acknowledge(name, id),
      });
      const before = tally.acknowledged();
      await eventually(() => tally.acknowledged() > before + 20, { withinMs: 30_000 });
      await trouble();
      await sender.stop();
    },
    async settle() {
      await eventually(() => tally.missing() === 0, { withinMs: SETTLED_WITHIN_MS }).catch(
        // What is missing then is lost, and the table says so.
        () => {},
      );
      return tally.rows();
    },
    async waiting() {
      const client = new Client({ connectionString: postgres.url() });
      await client.connect();
      try {
        const { rows } = await client.query(`
          select w.url, w.state as endpoint, w.failure_count, w.probe_count, w.ramp_per_second,
            d.state, count(d.id)::int, max(d.attempt_count) as attempts,
            min(d.next_attempt_at) - now() as next, min(d.lease_until) - now() as lease
          from webhook_endpoint w left join delivery d on d.endpoint_id = w.id
          group by 1, 2, 3, 4, 5, 6`);
        return JSON.stringify(rows, undefined, 1);
      } finally {
        await client.end();
      }
    },
    close: () => parts.close.disposeAsync(),
  };
}

function messageIdOf(body: Buffer): string {
  const parsed = JSON.parse(body.toString()) as {
    entry: { changes: { value: { messages: { id: string }[] } }[] }[];
  };
  return parsed.entry[0]?.changes[0]?.value.messages[0]?.id ?? "";
}
