import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMessageLog, type LoggedSend } from "../../../src/records/message-log.ts";
import { Secret } from "../../../src/secret.ts";
import { type Database, openDatabase } from "../../../src/store/database.ts";
import { deleteTenant } from "../../../src/tenancy/tenants.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant } from "../rows.ts";
import { answered, record, send, statusEvent, writeSends } from "./sends.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function open(db: Database = database.db) {
  const errors: unknown[] = [];
  let dropped = 0;
  let unknown = 0;
  const log = createMessageLog({
    db,
    onUnknown: () => unknown++,
    onError: (error) => errors.push(error),
    onDropped: (count) => {
      dropped += count;
    },
  });
  return { ...log, errors, dropped: () => dropped, unknown: () => unknown };
}

const rowOf = ({ id }: LoggedSend) =>
  database.db.selectFrom("message").selectAll().where("id", "=", id).executeTakeFirst();

describe("the message log", () => {
  it("has a send's row a moment after its answer, byte for byte", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const log = open();
    const mine = send(tenantId, {
      callbackData: "order\0",
      body: Buffer.from([0, 255, 10, 0]),
      recipient: "+1 555 000-2222",
    });
    log.begin(mine);
    log.end(mine.id, answered("wamid.A="));
    const row = await eventually(() => rowOf(mine));
    expect(row).toMatchObject({
      tenant_id: tenantId,
      client_id: "cli_1",
      operation: "sendMessage",
      recipient: "+1 555 000-2222",
      recipient_key: "15550002222",
      type: "text",
      callback_data: "order\uFFFD",
      content_type: "application/json",
      body: Buffer.from([0, 255, 10, 0]),
      state: "accepted",
      answer_status: 200,
      answer_body: answered("wamid.A=").body,
      wamid: "wamid.A=",
      created_at: new Date(mine.sentAtMs),
    });
    await log.drain();
  });

  it("tells what came of each send", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const log = open();
    const sends = [send(tenantId), send(tenantId), send(tenantId), send(tenantId)] as const;
    for (const each of sends) {
      log.begin(each);
    }
    log.end(sends[0].id, answered("wamid.B"));
    log.end(sends[1].id, answered("wamid.C", 400));
    log.end(sends[2].id, { kind: "unknown" });
    log.end(sends[3].id, { kind: "not_sent" });
    log.end("msg_of_nobody", { kind: "unknown" });
    await log.drain();
    const rows = await Promise.all(sends.map(rowOf));
    expect(rows.map((row) => row && [row.state, row.wamid])).toEqual([
      ["accepted", "wamid.B"],
      ["refused", null],
      ["unknown", null],
      undefined,
    ]);
    expect(log.unknown()).toBe(1);
  });

  it("tells other processes of a send that takes long, and then its end, in one row", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const log = open();
    const [long, never, quick] = [send(tenantId), send(tenantId), send(tenantId)];
    for (const each of [long, never, quick]) {
      log.begin(each);
    }
    log.end(quick.id, { kind: "not_sent" });
    const sending = await eventually(() => rowOf(long));
    expect(sending.state).toBe("sending");
    expect(Date.now() - long.sentAtMs).toBeGreaterThanOrEqual(1000);
    log.end(long.id, answered("wamid.D"));
    log.end(never.id, { kind: "not_sent" });
    await log.drain();
    const row = await rowOf(long);
    expect([row?.state, row?.wamid, row?.xid, row?.seq]).toEqual([
      "accepted",
      "wamid.D",
      sending.xid,
      sending.seq,
    ]);
    expect(await rowOf(never)).toBeUndefined();
    expect(await rowOf(quick)).toBeUndefined();
  });

  it("leaves what is under way in state sending when the process stops", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const log = open();
    const mine = send(tenantId);
    log.begin(mine);
    await log.drain();
    expect((await rowOf(mine))?.state).toBe("sending");
  });

  it("does not take back what an answer told, and writes the same twice as once", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const mine = send(tenantId);
    const states = [];
    for (const outcome of [undefined, { kind: "unknown" } as const, answered("wamid.E")]) {
      await writeSends(database.db, [{ send: mine, outcome }]);
      await writeSends(database.db, [{ send: mine, outcome }]);
      states.push((await rowOf(mine))?.state);
    }
    for (const outcome of [undefined, { kind: "unknown" } as const]) {
      await writeSends(database.db, [{ send: mine, outcome }]);
      states.push((await rowOf(mine))?.state);
    }
    expect(states).toEqual(["sending", "unknown", "accepted", "accepted", "accepted"]);
  });

  it("writes thousands, and one that the database refuses takes none with it", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const log = open();
    const sends = Array.from({ length: 1200 }, () => send(tenantId));
    // There is no partition for it.
    const refused = send(tenantId, { sentAtMs: 0 });
    for (const each of [...sends.slice(0, 700), refused, ...sends.slice(700)]) {
      log.begin(each);
      log.end(each.id, answered(`wamid.${each.id}`));
    }
    await log.drain();
    const { count } = await database.db
      .selectFrom("message")
      .select(({ fn }) => fn.countAll<string>().as("count"))
      .where("tenant_id", "=", tenantId)
      .executeTakeFirstOrThrow();
    expect(Number(count)).toBe(1200);
    expect(log.errors).toHaveLength(1);
    expect(log.dropped()).toBe(0);
  });

  it("drops and counts past its bound while the database is away, and keeps the rest", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const away = openDatabase({
      url: new Secret("postgres://nobody@127.0.0.1:1/none"),
      onIdleError: () => {},
    });
    const log = open(away.db);
    const body = Buffer.alloc(16 * 1024 * 1024);
    for (let each = 0; each < 10; each++) {
      const mine = send(tenantId, { body });
      log.begin(mine);
      log.end(mine.id, { kind: "unknown" });
    }
    await eventually(() => log.dropped() === 7);
    await log.drain();
    expect(log.dropped()).toBe(10);
    expect(log.errors).toEqual([]);
    await away.close();
  });

  it("drops nothing that corrects what may be told of a send", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const away = openDatabase({
      url: new Secret("postgres://nobody@127.0.0.1:1/none"),
      onIdleError: () => {},
    });
    const log = open(away.db);
    const [never, made] = [send(tenantId), send(tenantId)];
    log.begin(never);
    log.begin(made);
    await sleep(1500); // both are told of as under way
    const fill = (bytes: number): void => {
      const each = send(tenantId, { body: Buffer.alloc(bytes) });
      log.begin(each);
      log.end(each.id, { kind: "unknown" });
    };
    const piece = 16 * 1024 * 1024;
    [piece, piece, piece, piece - 8 * 1024].forEach(fill);
    Array.from({ length: 10 }, () => 0).forEach(fill);
    await eventually(() => log.dropped() > 0);
    const before = log.dropped();
    log.end(never.id, { kind: "not_sent" });
    log.end(made.id, answered("wamid.G"));
    fill(0);
    await eventually(() => log.dropped() > before);
    expect(log.dropped()).toBe(before + 1);
    await log.drain();
    await away.close();
  });

  it("asks the database nothing while nothing waits", async () => {
    let queries = 0;
    const counting = new Proxy(database.db, {
      get(target, name: keyof Database) {
        queries++;
        return target[name];
      },
    });
    const log = open(counting);
    const mine = send("ten_none");
    log.begin(mine);
    log.end(mine.id, { kind: "not_sent" });
    await log.drain();
    expect(queries).toBe(0);
  });

  it("is not written for a tenant that is gone", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    await deleteTenant(database.db, tenantId);
    const late = send(tenantId);
    await writeSends(database.db, [{ send: late, outcome: answered("wamid.F") }]);
    await record(database.db, statusEvent(tenantId, { wamid: "wamid.F" }));
    expect(await rowOf(late)).toBeUndefined();
    const statuses = await database.db
      .selectFrom("message_status")
      .select("wamid")
      .where("tenant_id", "=", tenantId)
      .execute();
    expect(statuses).toEqual([]);
  });
});
