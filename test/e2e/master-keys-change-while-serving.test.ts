import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowSealContext } from "../../src/partner/imports/receive.ts";
import { Secret } from "../../src/secret.ts";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { SEALED_COLUMNS } from "../../src/tenancy/master-keys/sealed-columns.ts";
import { resealAll } from "../../src/tenancy/master-keys/reseal.ts";
import { createSealer } from "../../src/tenancy/sealing.ts";
import { call, fetchToken } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  addNumber,
  BOOTSTRAP,
  buildTenant,
  testEnvironment,
  textMessage,
  type TestTenant,
} from "../support/gateway.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { runGatewayCommand } from "../support/run-command.ts";
import { spawnGateway, type SpawnedGateway } from "../support/spawned-gateway.ts";

const keyOf = (text: string) => {
  const [id = "", key = ""] = text.split(":");
  return { id, key: new Secret(key) };
};
const masterKey = (id: string) => `${id}:${randomBytes(32).toString("base64")}`;
const OLD = masterKey("old");
const NEW = masterKey("new");

describe("master keys", () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let receiver: Receiver;
  let gateway: SpawnedGateway;
  let tenant: TestTenant;

  const env = (masterKeys: string) => ({
    ...testEnvironment(),
    MASTER_KEYS: masterKeys,
    DATABASE_URL: database.url,
    D360_BASE_URL: simulator.url,
  });
  const reseal = (masterKeys: string, ...args: string[]) =>
    runGatewayCommand(["keys", "reseal", ...args], {
      DATABASE_URL: database.url,
      MASTER_KEYS: masterKeys,
    });

  /** Of an import whose file has not come whole, so that nobody works on it. */
  async function storeWaitingRow(): Promise<void> {
    const { db } = database;
    const sealed = createSealer([keyOf(OLD)]).seal(
      new Secret("key-of-a-row"),
      rowSealContext("imp_waits", 1),
    );
    await db.insertInto("import_job").values({ id: "imp_waits", dry_run: false }).execute();
    await db
      .insertInto("import_row")
      .values({ import_id: "imp_waits", line: 1, api_key_sealed: sealed, state: "pending" })
      .execute();
  }

  /** Of a channel whose key has come and whose number has not, as when a process dies in between. */
  async function storeWaitingChannel(): Promise<void> {
    const sealed = createSealer([keyOf(OLD)]).seal(new Secret("key-of-a-channel"), {
      purpose: "onboarding_api_key",
      rowId: "waits",
      tenantId: tenant.id,
    });
    await database.db
      .insertInto("onboarding_channel")
      .values({
        channel_id: "waits",
        hub_client_id: "waits",
        tenant_id: tenant.id,
        api_key_sealed: sealed,
        next_try_at: null,
      })
      .execute();
  }

  async function sealedWith(id: string): Promise<number> {
    let count = 0;
    for (const { table, column } of SEALED_COLUMNS) {
      const { rows } = await sql<{ sealed: Buffer }>`
        select ${sql.ref(column)} as sealed from ${sql.table(table)}
        where ${sql.ref(column)} is not null`.execute(database.db);
      count += rows.filter(
        ({ sealed }) => sealed.toString("latin1", 2, 2 + id.length) === id,
      ).length;
    }
    return count;
  }

  async function partner(method: string, path: string, body?: object) {
    const token = await fetchToken(gateway.url, BOOTSTRAP);
    return call(gateway.url, method, path, { token, ...(body !== undefined && { body }) });
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    simulator = await startSimulator({ statusDelayMs: 10 });
    receiver = await startReceiver();
    gateway = await spawnGateway(env(OLD));
    tenant = await buildTenant({ url: gateway.url, partner, simulator });
    receiver.answer = ({ url }, res) =>
      res.end(new URL(url, receiver.url).searchParams.get("hub.challenge") ?? "");
    const endpoint = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${receiver.url}/hook`, headers: { "X-Own": "v" }, verify_token: "a-token" },
    });
    expect(endpoint.status).toBe(201);
    const path = `/tenant/v1/webhook-endpoints/${endpoint.json.id as string}/secret/rotate`;
    expect((await tenant.call("POST", path)).status).toBe(200);
    const sent = await send("first");
    expect(sent.status).toBe(200);
    const erasure = { body: { user: "15559998877" } };
    expect((await tenant.call("POST", "/tenant/v1/contacts/erase", erasure)).status).toBe(200);
    await storeWaitingRow();
    await storeWaitingChannel();
    await gateway.kill("SIGTERM");
  });
  afterAll(async () => {
    await gateway.kill("SIGTERM");
    await simulator.close();
    await receiver.close();
    await database.drop();
  });

  // Each start has another port here, and so is another issuer.
  const send = async (key: string, to = "15550001111") =>
    call(gateway.url, "POST", `/${tenant.phoneNumberId}/messages`, {
      token: await fetchToken(gateway.url, tenant.client),
      headers: { "idempotency-key": key },
      body: textMessage(to, "x"),
    });

  it("seal what the list of sealed columns says, and nothing else", async () => {
    const { rows } = await sql<{ place: string }>`
      select table_name || '.' || column_name as place from information_schema.columns
      where table_schema = 'public' and data_type = 'bytea' and column_name like '%sealed%'
        and table_name !~ '_\d{8}$'`.execute(database.db);
    const listed = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
    expect(rows.map(({ place }) => place).toSorted()).toEqual(listed.toSorted());
    // And each of them holds something here.
    expect(await sealedWith("old")).toBeGreaterThanOrEqual(SEALED_COLUMNS.length);
  });

  it("that are missing or wrong stop the start, with the number of secrets that do not open", async () => {
    const missing = await spawnGateway(env(NEW)).catch(String);
    expect(missing).toMatch(
      /MASTER_KEYS: 6 of 6 stored secrets do not open with these keys; the first: sealed with master key "old"/,
    );
    const wrong = await spawnGateway(env(masterKey("old"))).catch(String);
    expect(wrong).toMatch(/MASTER_KEYS: 6 of 6 stored secrets do not open with these keys/);
  });

  it("are changed while the gateway serves: everything is sealed anew, and every call goes on", async () => {
    gateway = await spawnGateway(env(`${NEW},${OLD}`));
    for (let more = 0; more < 20; more++) {
      await addNumber({ partner, simulator }, tenant.id);
    }
    const answers: number[] = [];
    const ending = new AbortController();
    const calling = (async () => {
      while (!ending.signal.aborted) {
        // Each to somebody else: one user is sent to only so often.
        const nth = answers.length;
        answers.push((await send(`while-${nth}`, String(15550002000 + nth))).status);
        // A number sends only so much a second.
        await pause(20);
      }
    })();
    const done = await reseal(`${NEW},${OLD}`, "--json");
    ending.abort();
    await calling;
    expect(done).toMatchObject({ code: 0, error: "" });
    expect(await sealedWith("old")).toBe(0);
    expect(answers.length).toBeGreaterThan(10);
    expect(new Set(answers)).toEqual(new Set([200]));
    // Nothing was left to be done.
    const again = JSON.parse((await reseal(`${NEW},${OLD}`, "--json")).out) as {
      resealed: number;
    }[];
    expect(again.map(({ resealed }) => resealed)).toEqual(SEALED_COLUMNS.map(() => 0));
    // The old key may go.
    await gateway.kill("SIGTERM");
    gateway = await spawnGateway(env(NEW));
    const replayed = await send("first");
    expect([replayed.status, replayed.headers["idempotent-replayed"]]).toEqual([200, "true"]);
    expect((await send("last")).status).toBe(200);
  });

  it("that go on where a run was cut off", async () => {
    const [newest, first] = [masterKey("newest"), NEW];
    const keys = [newest, first].map(keyOf);
    let batches = 0;
    const cutOff = resealAll(database.db, {
      sealer: createSealer(keys),
      keyId: "newest",
      onBatch: () => (++batches > 1 ? Promise.reject(new Error("cut off")) : Promise.resolve()),
    });
    await expect(cutOff).rejects.toThrow("cut off");
    const before = await sealedWith("newest");
    expect(before).toBeGreaterThan(0);
    expect((await reseal(`${newest},${first}`)).code).toBe(0);
    expect(await sealedWith("newest")).toBeGreaterThan(before);
    // Back, for the gateway that runs with NEW alone.
    expect((await reseal(`${first},${newest}`)).code).toBe(0);
  });

  it("leave as it is what was moved to another row, and say how much that is", async () => {
    await sql`
      update phone_number set api_key_sealed = (
        select api_key_sealed from phone_number where phone_number_id = ${tenant.phoneNumberId})
      where id = (select max(id) from phone_number)`.execute(database.db);
    const other = masterKey("other");
    const done = await reseal(`${other},${NEW}`);
    expect(done.code).toBe(1);
    expect(done.out).toMatch(/phone_number\.api_key_sealed: 20 sealed anew, 1 do not open/);
    expect(done.error).toContain("1 secrets do not open with these MASTER_KEYS");
    const start = await spawnGateway(env(`${other},${NEW}`)).catch(String);
    expect(start).toMatch(/MASTER_KEYS: 1 of \d+ stored secrets do not open/);
  });
});
