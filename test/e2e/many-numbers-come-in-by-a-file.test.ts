import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "node:net";
import { call, type CallOptions, fetchToken } from "../support/call.ts";
import { createTestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import {
  BOOTSTRAP,
  environmentOf,
  startTestGateway,
  type TestGateway,
  testEnvironment,
} from "../support/gateway.ts";
import { spawnGateway } from "../support/spawned-gateway.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";

const HEADER = "tenant_external_id,phone_number_id,api_key";
const CSV = { "content-type": "text/csv" };

describe("an import", () => {
  let gateway: TestGateway;
  let token: string;

  beforeAll(async () => {
    gateway = await startTestGateway();
    token = await fetchToken(gateway.url, BOOTSTRAP);
    await gateway.partner("PUT", "/partner/v1/tenants/by-external-id/acme", { name: "Acme" });
    await gateway.partner("PUT", "/partner/v1/tenants/by-external-id/other", { name: "Other" });
  });
  afterAll(() => gateway.stop());

  const send = (body: string, { query = "", headers = CSV } = {}) =>
    gateway.call("POST", `/partner/v1/imports${query}`, { token, headers, body });

  async function finished(id: string) {
    return eventually(
      async () => {
        const { json } = await gateway.partner("GET", `/partner/v1/imports/${id}`);
        expect(json.state).toBe("finished");
        return json;
      },
      { withinMs: 20_000 },
    );
  }

  const rowsOf = async (id: string, query = "") =>
    (await gateway.partner("GET", `/partner/v1/imports/${id}/rows${query}`)).json;

  it("brings in each row that is right, and tells of each other why not", async () => {
    const [good, other] = [gateway.simulator.createNumber(), gateway.simulator.createNumber()];
    const made = await send(
      [
        HEADER,
        `acme,${good.phoneNumberId},${good.apiKey}`,
        `nobody,${other.phoneNumberId},${other.apiKey}`,
        `acme,${other.phoneNumberId},wrong-key-wrong-key`,
        `acme,not-a-number,${other.apiKey}`,
        `acme,${other.phoneNumberId},${other.apiKey},one,too,many`,
        `other,${good.phoneNumberId},${good.apiKey}`,
        `acme,${other.phoneNumberId},`,
        `"acme",${other.phoneNumberId},${other.apiKey}`,
      ].join("\r\n"),
    );
    expect(made.status).toBe(201);
    const job = await finished(made.json.id);
    expect(job.rows).toEqual({ pending: 0, imported: 2, unchanged: 0, valid: 0, refused: 6 });
    const { data } = await rowsOf(made.json.id);
    expect(data.map((row: { line: number; code: string }) => [row.line, row.code])).toEqual([
      [2, null],
      [3, "not_found"],
      [4, "api_key_rejected"],
      [5, "invalid_request"],
      [6, "invalid_row"],
      [7, "number_taken"],
      [8, "api_key_required"],
      [9, null],
    ]);
    const number = await gateway.partner("GET", `/partner/v1/numbers/${data[0].number_id}`);
    expect(number.json).toMatchObject({ state: "running", onboarding_stage: "running" });
    expect(gateway.simulator.getNumber(good.phoneNumberId).webhook?.url).toContain("/hooks/");
  });

  it("may be sent again, as NDJSON too: what runs is unchanged", async () => {
    const made = gateway.simulator.createNumber();
    const row = {
      tenant_external_id: "acme",
      phone_number_id: made.phoneNumberId,
      api_key: made.apiKey,
    };
    const headers = { "content-type": "application/x-ndjson" };
    const first = await send(`${JSON.stringify(row)}\n{"broken\n`, { headers });
    expect((await finished(first.json.id)).rows).toMatchObject({ imported: 1, refused: 1 });
    const webhook = gateway.simulator.getNumber(made.phoneNumberId).webhook?.url;
    const again = await send(JSON.stringify(row), { headers });
    expect((await finished(again.json.id)).rows).toMatchObject({ unchanged: 1, refused: 0 });
    expect(gateway.simulator.getNumber(made.phoneNumberId).webhook?.url).toBe(webhook);
  });

  it("only checks in a dry run", async () => {
    const made = gateway.simulator.createNumber();
    const rows = `${HEADER}\nacme,${made.phoneNumberId},${made.apiKey}\nacme,1,wrong-key-wrong`;
    const { json } = await send(rows, { query: "?dry_run=true" });
    expect((await finished(json.id)).rows).toMatchObject({ valid: 1, refused: 1 });
    expect(gateway.simulator.getNumber(made.phoneNumberId).webhook).toBeUndefined();
    const numbers = await gateway.partner("GET", "/partner/v1/numbers?limit=200");
    expect(JSON.stringify(numbers.json)).not.toContain(made.phoneNumberId);
  });

  it("tells in a dry run what would be taken by then", async () => {
    const [one, two, three] = [1, 2, 3].map(() => gateway.simulator.createNumber());
    const rows = [
      "tenant_external_id,phone_number_id,channel_id,api_key",
      `acme,${one?.phoneNumberId},a-channel,${one?.apiKey}`,
      `acme,${two?.phoneNumberId},a-channel,${two?.apiKey}`,
      `other,${one?.phoneNumberId},,${one?.apiKey}`,
      `acme,${one?.phoneNumberId},a-channel,${one?.apiKey}`,
      `acme,${three?.phoneNumberId},,${three?.apiKey}`,
    ];
    const codesOf = async (query: string): Promise<unknown[]> => {
      const { json } = await send(rows.join("\n"), { query });
      await finished(json.id);
      return (await rowsOf(json.id)).data.map((row: { code: string | null }) => row.code);
    };
    const told = await codesOf("?dry_run=true");
    expect(told).toEqual([null, "channel_taken", "number_taken", null, null]);
    expect(await codesOf("")).toEqual(told);
    // And what is here already is taken too.
    expect(await codesOf("?dry_run=true")).toEqual(told);
  });

  it("tries a row again when 360dialog fails or says it is too fast", async () => {
    const made = gateway.simulator.createNumber();
    gateway.simulator.failNext({ kind: "answer", status: 429, path: "/health_status", times: 1 });
    const { json } = await send(`${HEADER}\nacme,${made.phoneNumberId},${made.apiKey}`);
    expect((await finished(json.id)).rows).toMatchObject({ imported: 1, refused: 0 });
  });

  it("sets the hook of a number whose new key was stored before that failed", async () => {
    const made = gateway.simulator.createNumber();
    const first = await send(`${HEADER}\nacme,${made.phoneNumberId},${made.apiKey}`);
    await finished(first.json.id);
    const apiKey = gateway.simulator.rotateKey(made.phoneNumberId);
    const before = gateway.simulator.getNumber(made.phoneNumberId).webhook;
    const path = "/v1/configs/webhook";
    gateway.simulator.failNext({ kind: "answer", status: 503, path, times: 1 });
    const { json } = await send(`${HEADER}\nacme,${made.phoneNumberId},${apiKey}`);
    expect((await finished(json.id)).rows).toMatchObject({ imported: 1, unchanged: 0 });
    const after = gateway.simulator.getNumber(made.phoneNumberId).webhook;
    expect(after?.url).toContain("/hooks/");
    expect(after?.url).not.toBe(before?.url);
  });

  it("that is broken off leaves no job", async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const head = `POST /partner/v1/imports HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\ncontent-type: text/csv\r\ncontent-length: 100000\r\n\r\n`;
    socket.write(`${head}${HEADER}\nacme,1,kkkkkkkkkkkk\n`);
    const receiving = () =>
      gateway.database.db
        .selectFrom("import_job")
        .select("id")
        .where("state", "=", "receiving")
        .execute();
    await eventually(async () => (await receiving()).length === 1);
    socket.destroy();
    await eventually(async () => (await receiving()).length === 0);
  });

  it("shows its rows in pages, by state, and as CSV with nothing a spreadsheet runs", async () => {
    const { json } = await send(
      `${HEADER}\n=cmd(),1,kkkkkkkkkkkk\n"a,""b",2,kkkkkkkkkkkk\nacme,x,k`,
    );
    await finished(json.id);
    const first = await rowsOf(json.id, "?limit=2");
    const second = await rowsOf(json.id, `?limit=2&cursor=${first.next_cursor}`);
    const lines = [...first.data, ...second.data].map((row: { line: number }) => row.line);
    expect([lines, second.next_cursor]).toEqual([[2, 3, 4], null]);
    expect((await rowsOf(json.id, "?state=imported")).data).toEqual([]);
    const csv = await gateway.call("GET", `/partner/v1/imports/${json.id}/rows`, {
      token,
      headers: { accept: "text/csv" },
    });
    expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8; header=present");
    const told = csv.body.toString().split("\r\n");
    expect(told[1]).toMatch(/^2,'=cmd\(\),1,refused,not_found,/);
    expect(told[2]).toMatch(/^3,"a,""b",2,refused,not_found,/);
    expect(csv.body.toString()).not.toContain("kkkk");
  });

  it("of a file without header, of another type, or that is not CSV is refused and leaves no job", async () => {
    const bare = await send("acme,1,a-key-that-is-secret\n");
    expect([bare.status, bare.json.errors[0].code]).toEqual([422, "file_unreadable"]);
    expect(bare.body.toString()).not.toContain("secret");
    const open = await send(`${HEADER}\nacme,1,"never closed\n`);
    expect([open.status, open.json.errors[0].code]).toEqual([422, "file_unreadable"]);
    const json = await send("{}", { headers: { "content-type": "application/json" } });
    expect(json.status).toBe(415);
    const jobs = await gateway.database.db
      .selectFrom("import_job")
      .select("id")
      .where("state", "=", "receiving")
      .execute();
    expect(jobs).toHaveLength(0);
    const missing = await gateway.partner("GET", "/partner/v1/imports/imp_x");
    expect(missing.status).toBe(404);
    expect((await gateway.partner("GET", "/partner/v1/imports/imp_x/rows")).status).toBe(404);
  });

  it("keeps no key in a row that is done", async () => {
    const kept = await gateway.database.db
      .selectFrom("import_row")
      .select("line")
      .where("state", "<>", "pending")
      .where("api_key_sealed", "is not", null)
      .execute();
    expect(kept).toHaveLength(0);
  });
});

describe("an import whose process is killed", () => {
  it("is gone on with by another, and every number comes in once", async () => {
    const database = await createTestDatabase();
    const simulator = await startSimulator({ statusDelayMs: 10 });
    const env = {
      ...testEnvironment(),
      DATABASE_URL: database.url,
      ...environmentOf(simulator),
    };
    let gateway = await spawnGateway(env);
    try {
      const partner = async (method: string, path: string, options: CallOptions = {}) => {
        const token = await fetchToken(gateway.url, BOOTSTRAP);
        return (await call(gateway.url, method, path, { token, ...options })).json;
      };
      const tenant = "/partner/v1/tenants/by-external-id/acme";
      await partner("PUT", tenant, { body: { name: "Acme" } });
      const numbers = Array.from({ length: 150 }, () => simulator.createNumber());
      const lines = numbers.map(({ phoneNumberId, apiKey }) => `acme,${phoneNumberId},${apiKey}`);
      const body = [HEADER, ...lines].join("\n");
      const { id } = await partner("POST", "/partner/v1/imports", { headers: CSV, body });
      const progress = () => partner("GET", `/partner/v1/imports/${id}`);
      for (const enough of [20, 80]) {
        await eventually(async () => (await progress()).rows.imported > enough, {
          withinMs: 20_000,
        });
        await gateway.kill("SIGKILL");
        gateway = await spawnGateway(env);
        expect((await progress()).rows.pending).toBeGreaterThan(0);
      }
      await eventually(async () => (await progress()).state === "finished", {
        withinMs: 30_000,
      });
      // A row of which only the last word was not written is told to run already.
      const { rows } = await progress();
      expect([rows.imported + rows.unchanged, rows.refused]).toEqual([150, 0]);
      const stored = await database.db
        .selectFrom("phone_number")
        .select("id")
        .where("state", "=", "running")
        .where("onboarding_stage", "=", "running")
        .execute();
      expect(stored).toHaveLength(150);
      const hooked = numbers.filter(
        ({ phoneNumberId }) => simulator.getNumber(phoneNumberId).webhook !== undefined,
      );
      expect(hooked).toHaveLength(150);
    } finally {
      await gateway.kill("SIGKILL");
      await simulator.close();
      await database.drop();
    }
  }, 120_000);
});
