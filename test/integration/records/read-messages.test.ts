import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { furthestStatus } from "../../../src/records/furthest-status.ts";
import { presentMessage } from "../../../src/records/present-message.ts";
import {
  getMessage,
  type ListedMessageRow,
  readMessages,
} from "../../../src/records/read-messages.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant } from "../rows.ts";
import { answered, NUMBER, record, send, statusEvent, writeSends } from "./sends.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const read = (tenantId: string, options: Partial<Parameters<typeof readMessages>[2]> = {}) =>
  readMessages(database.db, tenantId, { limit: 100, after: undefined, among: null, ...options });

/** Waits for what any other transaction of the server holds back. */
const readAll = (tenantId: string, count: number) =>
  eventually(async () => {
    const rows = await read(tenantId);
    return rows.length === count && rows;
  });

const write = (tenantId: string, wamid: string, fields: Parameters<typeof send>[1] = {}) =>
  writeSends(database.db, [{ send: send(tenantId, fields), outcome: answered(wamid) }]);

const wamidsOf = (rows: ListedMessageRow[]) => rows.map(({ wamid }) => wamid);

describe("a list of messages", () => {
  it("is complete and stable while rows arrive and change", async () => {
    const { id } = await buildTenant(database.db);
    const seen: string[] = [];
    let after: string[] | undefined;
    let expected = Number.POSITIVE_INFINITY;

    async function readOn(): Promise<void> {
      const rows = (await read(id, { limit: 7, after })).slice(0, 7);
      seen.push(...rows.map((row) => row.id));
      const last = rows.at(-1);
      after = last === undefined ? after : [last.xid, last.seq];
      if (seen.length < expected) {
        await readOn();
      }
    }

    async function writeMany(): Promise<string[]> {
      const ids: string[] = [];
      for (let round = 0; round < 40; round++) {
        const sends = [send(id), send(id)];
        ids.push(...sends.map((each) => each.id));
        await writeSends(
          database.db,
          sends.map((each) => ({ send: each, outcome: undefined })),
        );
        await writeSends(
          database.db,
          sends.map((each) => ({ send: each, outcome: answered(`wamid.${each.id}`) })),
        );
      }
      return ids;
    }

    const reading = readOn();
    const written = (await Promise.all([writeMany(), writeMany(), writeMany()])).flat();
    expected = written.length;
    await reading;
    expect(seen.toSorted((a, b) => a.localeCompare(b))).toEqual(
      written.toSorted((a, b) => a.localeCompare(b)),
    );
  });

  it.each<[string, Partial<Parameters<typeof readMessages>[2]>, string[]]>([
    ["a number", { phoneNumberId: "101" }, ["a"]],
    ["a token's numbers", { among: ["101", "102"] }, ["a", "b"]],
    ["a token without numbers", { among: [] }, []],
    ["a recipient, by digits", { recipient: "+49 151-1" }, ["b"]],
    ["a recipient that is none", { recipient: "+" }, []],
    ["a state", { state: "accepted" }, ["a", "b", "c"]],
    ["another state", { state: "refused" }, []],
    ["a time that is past", { to: new Date(Date.now() - 3_600_000) }, []],
    ["a time from then on", { from: new Date(Date.now() - 3_600_000) }, ["a", "b", "c"]],
  ])("of %s leaves the rest out", async (_name, filter, expected) => {
    const { id } = await buildTenant(database.db);
    await write(id, "a", { phoneNumberId: "101" });
    await write(id, "b", { phoneNumberId: "102", recipient: "491511" });
    await write(id, "c");
    await readAll(id, 3);
    expect(wamidsOf(await read(id, filter))).toEqual(expected);
  });

  it("has only its own tenant's", async () => {
    const [one, other] = [await buildTenant(database.db), await buildTenant(database.db)];
    await write(one.id, "mine");
    await write(other.id, "theirs");
    expect(wamidsOf(await readAll(one.id, 1))).toEqual(["mine"]);
  });
});

const get = (tenantId: string, id: string, among: readonly string[] | null = null) =>
  getMessage(database.db, tenantId, { id, among });

describe("one message", () => {
  it("is found by our id and by its wamid, by its own tenant and for its own number", async () => {
    const [one, other] = [await buildTenant(database.db), await buildTenant(database.db)];
    const mine = send(one.id);
    const wamid = "wamid.HBgL/MTU1+NTAw==";
    await writeSends(database.db, [{ send: mine, outcome: answered(wamid) }]);
    expect((await get(one.id, mine.id)).message.id).toBe(mine.id);
    expect((await get(one.id, wamid)).message.id).toBe(mine.id);
    expect((await get(one.id, wamid, [NUMBER])).message.id).toBe(mine.id);
    for (const id of [mine.id, wamid]) {
      await expect(get(other.id, id)).rejects.toThrow("There is nothing here");
      await expect(get(one.id, id, ["1"])).rejects.toThrow("There is nothing here");
    }
    await expect(get(one.id, "")).rejects.toThrow("There is nothing here");
  });

  it("has each status once, in the order in which they happened", async () => {
    const { id } = await buildTenant(database.db);
    const sentAtMs = Date.now() - 10_000;
    await write(id, "wamid.O", { sentAtMs });
    const told = (status: string, afterMs: number, fields = {}) =>
      statusEvent(id, {
        wamid: "wamid.O",
        status,
        happenedAt: new Date(sentAtMs + afterMs),
        ...fields,
      });
    await record(database.db, told("read", 3000), told("sent", 1000), told("read", 3000));
    await record(database.db, told("delivered", 2000), told("sent", 1000));
    await record(database.db, told("read", 3000, { phoneNumberId: "1" }));
    const { statuses } = await get(id, "wamid.O");
    expect(statuses.map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
  });

  it("shows the same status in whatever order and however often its statuses come", async () => {
    const { id } = await buildTenant(database.db);
    const words = ["sent", "failed", "delivered", "read", "played", "deleted", "warning"];
    const expected = new Map<string, string | null>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 8 }),
        async (statuses) => {
          const wamid = `wamid.${expected.size}`;
          expected.set(wamid, furthestStatus(statuses));
          await write(id, wamid);
          for (const status of statuses) {
            await record(database.db, statusEvent(id, { wamid, status }));
          }
        },
      ),
      { numRuns: 40 },
    );
    const rows = await readAll(id, expected.size);
    expect(
      new Map(rows.map(presentMessage).map(({ wamid, status }) => [wamid ?? "", status])),
    ).toEqual(expected);
  });
});
