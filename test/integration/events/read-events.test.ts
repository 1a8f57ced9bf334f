import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EventRow, findEvent, readEvents } from "../../../src/events/read-events.ts";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { Secret } from "../../../src/secret.ts";
import { type Database, openDatabase, type OpenDatabase } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant, event, notification } from "../rows.ts";

let database: TestDatabase;
let writers: OpenDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const url = new Secret(database.url);
  writers = openDatabase({ url, connectionsMax: 12, onIdleError: () => {} });
});
afterAll(async () => {
  await writers.close();
  await database.drop();
});

const read = (tenantId: string, options: Partial<Parameters<typeof readEvents>[2]> = {}) =>
  readEvents(database.db, tenantId, { limit: 1000, after: undefined, among: null, ...options });

/** Waits for what any other transaction of the server, of another database too, holds back. */
const readAll = (tenantId: string, count: number) =>
  eventually(async () => {
    const rows = await read(tenantId);
    return rows.length === count && rows;
  });

const write = (db: Database, tenantId: string, ...names: string[]) =>
  writeNotifications(db, [
    notification(names.map((name) => event(tenantId, { body: Buffer.from(name) }))),
  ]);

const namesOf = (rows: EventRow[]) => rows.map(({ body }) => body.toString());
const cursorOf = (row: EventRow | undefined) => row && [row.xid, row.seq];

describe("a reader", () => {
  it("sees nothing past a commit that is still under way, then all of it in order", async () => {
    const { id } = await buildTenant(database.db);
    const begun = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const slow = writers.db.transaction().execute(async (trx) => {
      await write(trx, id, "slow");
      begun.resolve();
      await mayCommit.promise;
    });
    await begun.promise;
    await write(writers.db, id, "quick");
    expect(await read(id)).toEqual([]);
    mayCommit.resolve();
    await slow;
    expect(namesOf(await readAll(id, 2))).toEqual(["slow", "quick"]);
  });

  it("misses none and sees none twice while thousands of commits interleave", async () => {
    const { id } = await buildTenant(database.db);
    const seen: string[] = [];
    let after: string[] | undefined;
    let expected = Number.POSITIVE_INFINITY;

    async function readOn(): Promise<void> {
      const rows = (await read(id, { limit: 25, after })).slice(0, 25);
      seen.push(...namesOf(rows));
      after = cursorOf(rows.at(-1)) ?? after;
      if (seen.length < expected) {
        await readOn();
      }
    }

    // Some commit at once, some hold theirs open across another's commit.
    async function writeMany(writer: number): Promise<string[]> {
      const names: string[] = [];
      for (let round = 0; round < 400; round++) {
        const name = `${writer}.${round}`;
        names.push(`${name}a`, `${name}b`);
        if ((writer + round) % 3 === 0) {
          await writers.db.transaction().execute(async (trx) => {
            await write(trx, id, `${name}a`);
            await write(writers.db, id, `${name}b`);
          });
        } else {
          await write(writers.db, id, `${name}a`, `${name}b`);
        }
      }
      return names;
    }

    const reading = readOn();
    const written = (await Promise.all([0, 1, 2, 3, 4].map(writeMany))).flat();
    expected = written.length;
    await reading;
    expect(written).toHaveLength(4000);
    expect(seen.toSorted()).toEqual(written.toSorted());
    expect(namesOf(await read(id, { limit: 5000 }))).toEqual(seen);
  }, 60_000);

  it("gets one row more than a page has, to know whether there is another", async () => {
    const { id } = await buildTenant(database.db);
    await write(database.db, id, "a", "b", "c");
    await readAll(id, 3);
    expect(namesOf(await read(id, { limit: 1 }))).toEqual(["a", "b"]);
  });

  it("sees only its own tenant's", async () => {
    const [one, other] = [await buildTenant(database.db), await buildTenant(database.db)];
    await write(database.db, one.id, "mine");
    await write(database.db, other.id, "theirs");
    expect(namesOf(await readAll(one.id, 1))).toEqual(["mine"]);
    const [theirs] = await readAll(other.id, 1);
    expect(await findEvent(database.db, one.id, theirs?.id ?? "")).toBeUndefined();
    expect((await findEvent(database.db, other.id, theirs?.id ?? ""))?.id).toBe(theirs?.id);
  });
});

describe("a filter", () => {
  it.each<[string, Partial<Parameters<typeof readEvents>[2]>, string[]]>([
    ["of a type", { type: "message.received" }, ["a"]],
    ["of types that begin alike", { type: "message.*" }, ["a", "b"]],
    ["of a type with _", { type: "unknown.a_b" }, ["c"]],
    ["of a type with %", { type: "%" }, []],
    ["of a number", { phoneNumberId: "101" }, ["a"]],
    ["of a token's numbers", { among: ["101", "102"] }, ["a", "b"]],
    ["of a token without numbers", { among: [] }, []],
    ["of a number outside the token", { phoneNumberId: "101", among: ["102"] }, []],
    ["of a time that is past", { to: new Date(0) }, []],
    ["of a time from then on", { from: new Date(0) }, ["a", "b", "c", "d"]],
    ["of a time that is to come", { from: new Date("2200-01-01") }, []],
  ])("%s leaves the rest out", async (_name, filter, expected) => {
    const { id } = await buildTenant(database.db);
    const events = Object.entries({
      a: { type: "message.received", phoneNumberId: "101" },
      b: { type: "message.echo", phoneNumberId: "102" },
      c: { type: "unknown.a_b" },
      d: { type: "unknown.axb" },
    }).map(([name, fields]) => event(id, { ...fields, body: Buffer.from(name) }));
    await writeNotifications(database.db, [notification(events)]);
    await readAll(id, 4);
    expect(namesOf(await read(id, filter))).toEqual(expected);
  });
});
