import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { createMediaIds, pruneMediaIds } from "../../../src/records/media-ids.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant, event, notification } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** As in another process: it remembers nothing of what others noted. */
const open = (db = database.db) =>
  createMediaIds({
    db,
    onError: (error) => {
      throw error;
    },
    onDropped: () => {},
  });

describe("a media id", () => {
  it("is known at once where it was noted, and elsewhere a moment later", async () => {
    const { id } = await buildTenant(database.db);
    const mediaIds = open();
    mediaIds.note(id, "101", "8001");
    expect(await mediaIds.find(id, "8001")).toBe("101");
    const found = await eventually(() => open().find(id, "8001"));
    expect(found).toBe("101");
    await mediaIds.drain();
  });

  it("belongs to the number that it was last seen on, however often it is noted", async () => {
    const { id } = await buildTenant(database.db);
    const mediaIds = open();
    for (const number of ["101", "102", "103"]) {
      mediaIds.note(id, number, "8001");
    }
    await mediaIds.drain();
    expect(await open().find(id, "8001")).toBe("103");
  });

  it("of another tenant is not known, nor one that nobody saw", async () => {
    const [one, other] = [await buildTenant(database.db), await buildTenant(database.db)];
    const mediaIds = open();
    mediaIds.note(one.id, "101", "8001");
    await mediaIds.drain();
    expect(await mediaIds.find(other.id, "8001")).toBeUndefined();
    expect(await mediaIds.find(one.id, "8002")).toBeUndefined();
  });

  it("that cannot be one is not known, whatever it is made of", async () => {
    const { id } = await buildTenant(database.db);
    for (const odd of ["", "\0", "8001\0", "a b", "8".repeat(200)]) {
      expect(await open().find(id, odd)).toBeUndefined();
    }
  });

  it("of an inbound message is known", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    const mediaIds = open();
    await database.db.transaction().execute((trx) =>
      mediaIds.apply(trx, [
        {
          tenantId,
          id: "evt_1",
          type: "message.received",
          phoneNumberId: "104",
          wabaId: null,
          receivedAt: new Date(),
          value: { messages: [{ type: "image", image: { id: "8004" } }] },
        },
      ]),
    );
    expect(await mediaIds.find(tenantId, "8004")).toBe("104");
  });

  it("of an inbound message that is not followed yet is known too", async () => {
    const { db } = database;
    const { id: tenantId } = await buildTenant(db);
    await db.insertInto("follower").values({ name: "records", xid: "0", seq: "0" }).execute();
    const of = (type: string, phoneNumberId: string, value: unknown) =>
      event(tenantId, {
        type,
        phoneNumberId,
        body: Buffer.from(JSON.stringify({ entry: [{ changes: [{ value }] }] })),
      });
    const image = { messages: [{ type: "image", image: { id: "8005" } }] };
    const saysSo = { messages: [{ type: "text", text: { body: "8005 and 8006" } }] };
    await writeNotifications(db, [
      notification([of("message.received", "105", image), of("message.received", "106", saysSo)]),
    ]);
    expect(await open().find(tenantId, "8005")).toBe("105");
    expect(await open().find(tenantId, "8006")).toBeUndefined();
    await db.deleteFrom("follower").execute();
  });

  it("is known though its message is followed between two looks for it", async () => {
    const { db } = database;
    const { id: tenantId } = await buildTenant(db);
    await db.insertInto("follower").values({ name: "records", xid: "0", seq: "0" }).execute();
    const value = { messages: [{ type: "image", image: { id: "8007" } }] };
    const body = Buffer.from(JSON.stringify({ entry: [{ changes: [{ value }] }] }));
    await writeNotifications(db, [notification([event(tenantId, { phoneNumberId: "107", body })])]);
    let looks = 0;
    const overtaken = db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (++looks === 1) {
          await db
            .insertInto("media_id")
            .values({ tenant_id: tenantId, media_id: "8007", phone_number_id: "107" })
            .execute();
          await db.updateTable("follower").set({ xid: "9000000000000000000" }).execute();
        }
        return result;
      },
    });
    expect(await open(overtaken).find(tenantId, "8007")).toBe("107");
    await db.deleteFrom("follower").execute();
  });

  it("is forgotten 30 days after it was last seen", async () => {
    const { id } = await buildTenant(database.db);
    const mediaIds = open();
    mediaIds.note(id, "101", "old");
    mediaIds.note(id, "101", "young");
    await mediaIds.drain();
    await sql`update media_id set seen_at = now() - interval '31 days' where media_id = 'old'`.execute(
      database.db,
    );
    await pruneMediaIds(database.db);
    expect(await open().find(id, "old")).toBeUndefined();
    expect(await open().find(id, "young")).toBe("101");
  });
});
