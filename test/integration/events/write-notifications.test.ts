import { createHash } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_TENANT } from "../../../src/events/no-tenant.ts";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import type { EndpointWish } from "../../../src/fanout/endpoints.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildEndpoint, buildTenant, event, identity, notification } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const eventsOf = (tenantId: string) =>
  database.db
    .selectFrom("event")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .orderBy("xid")
    .orderBy("seq")
    .execute();

const deliveriesOf = (tenantId: string) =>
  database.db.selectFrom("delivery").selectAll().where("tenant_id", "=", tenantId).execute();

const byText = (left = "", right = "") => left.localeCompare(right);

describe("what is written of a notification", () => {
  it("is each event, in order and byte for byte", async () => {
    const { id } = await buildTenant(database.db);
    const bodies = [
      Buffer.from('{"a":"\\u0000","b":"\\ud800"}'),
      Buffer.alloc(0),
      Buffer.from([0, 255, 254, 1]),
      Buffer.alloc(100_000, "x"),
    ];
    const events = bodies.map((body, n) => event(id, { body, type: `unknown.t${n}` }));
    const given = notification(events);
    const written = await writeNotifications(database.db, [given]);
    expect(written).toEqual([{ newEventCount: 4 }]);
    const rows = await eventsOf(id);
    expect(rows.map(({ type }) => type)).toEqual(events.map(({ type }) => type));
    expect(rows.map(({ body }) => body)).toEqual(bodies);
    expect(new Set(rows.map(({ notification_id }) => notification_id))).toEqual(
      new Set([given.id]),
    );
  });

  it("is the notification's digest and size, also of one without events", async () => {
    const given = { ...notification([]), numberId: "num_a", bodyBytes: 12_345 };
    expect(await writeNotifications(database.db, [given])).toEqual([{ newEventCount: 0 }]);
    const row = await database.db
      .selectFrom("notification")
      .selectAll()
      .where("id", "=", given.id)
      .executeTakeFirst();
    expect(row).toMatchObject({
      number_id: "num_a",
      body_sha256: given.bodySha256,
      body_bytes: 12_345,
      event_count: 0,
    });
  });

  it("is nothing at all when one of a batch cannot be written", async () => {
    const { id } = await buildTenant(database.db);
    const broken = notification([event(id, { type: "nul\0" })]);
    const whole = notification([event(id)]);
    await expect(writeNotifications(database.db, [whole, broken])).rejects.toMatchObject({
      code: "22021",
    });
    expect(await eventsOf(id)).toEqual([]);
  });
});

describe("an event that comes again", () => {
  it("in the same batch is written once, for the notification that came first", async () => {
    const { id } = await buildTenant(database.db);
    await buildEndpoint(database.db, id);
    const same = { identity: identity(id) };
    const [first, second] = [
      notification([event(id, same), event(id)]),
      notification([event(id, same), event(id, same)]),
    ];
    expect(await writeNotifications(database.db, [first, second])).toEqual([
      { newEventCount: 2 },
      { newEventCount: 0 },
    ]);
    expect(await eventsOf(id)).toHaveLength(2);
    expect(await deliveriesOf(id)).toHaveLength(2);
  });

  it("later is not written", async () => {
    const { id } = await buildTenant(database.db);
    const same = { identity: identity(id) };
    const write = () => writeNotifications(database.db, [notification([event(id, same)])]);
    expect([await write(), await write()].flat()).toEqual([
      { newEventCount: 1 },
      { newEventCount: 0 },
    ]);
    expect(await eventsOf(id)).toHaveLength(1);
  });

  it("after seven days is written, and delivered under the same id", async () => {
    const { id } = await buildTenant(database.db);
    await buildEndpoint(database.db, id);
    const same = { identity: identity(id) };
    const write = () => writeNotifications(database.db, [notification([event(id, same)])]);
    const age = (days: string) =>
      sql`update event_identity set seen_at = now() - ${days}::interval
        where identity = ${same.identity}`.execute(database.db);
    await write();
    await age("6 days 23 hours");
    expect(await write()).toEqual([{ newEventCount: 0 }]);
    await age("7 days 1 minute");
    expect(await write()).toEqual([{ newEventCount: 1 }]);
    expect(await write()).toEqual([{ newEventCount: 0 }]);
    const deliveries = await deliveriesOf(id);
    expect(deliveries).toHaveLength(2);
    expect(new Set(deliveries.map((row) => row.id)).size).toBe(1);
  });

  it("through several writers at once is written once, and they never block each other", async () => {
    const { id } = await buildTenant(database.db);
    const identities = Array.from({ length: 40 }, (_, n) => identity(`${id} ${n}`));
    const shuffled = (seed: number) =>
      identities.toSorted((left, right) =>
        identity(`${seed}${left.toString("hex")}`).compare(
          identity(`${seed}${right.toString("hex")}`),
        ),
      );
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      let count = 0;
      for (let round = 0; round < 10; round++) {
        const events = shuffled(writer * 100 + round)
          .slice(0, 20)
          .map((each) => event(id, { identity: each }));
        const [written] = await writeNotifications(database.db, [notification(events)]);
        count += written?.newEventCount ?? 0;
      }
      return count;
    });
    const counts = await Promise.all(writers);
    const rows = await eventsOf(id);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
    expect(new Set(rows.map((row) => row.identity.toString("hex"))).size).toBe(rows.length);
    expect(rows).toHaveLength(identities.length);
  });
});

describe("an endpoint", () => {
  const matching: [string, Partial<EndpointWish>, string[]][] = [
    ["without wishes gets everything", {}, ["a", "b", "c", "d", "e", "f"]],
    ["gets the types that it names", { event_types: ["message.received"] }, ["a"]],
    ["gets what begins with a name and a star", { event_types: ["message.*"] }, ["a", "b", "c"]],
    ["gets everything for a star", { event_types: ["*"] }, ["a", "b", "c", "d", "e", "f"]],
    [
      "gets each thing once for two that fit",
      { event_types: ["message.*", "*.received"] },
      ["a", "b", "c"],
    ],
    ["takes a star within a name for a star", { event_types: ["*.received"] }, []],
    ["takes _ for itself", { event_types: ["unknown.a_b"] }, ["d"]],
    ["takes % for itself", { event_types: ["unknown.%"] }, []],
    ["takes a backslash for itself", { event_types: ["unknown.\\*"] }, []],
    ["takes a name for the whole name", { event_types: ["message"] }, []],
    ["tells capitals from small letters", { event_types: ["Message.received"] }, []],
    ["gets the numbers that it names", { phone_number_ids: ["101", "102"] }, ["a", "b"]],
    ["gets the WABAs that it names", { waba_ids: ["900"] }, ["a", "f"]],
    [
      "gets what fits all of its wishes",
      { event_types: ["message.*"], phone_number_ids: ["101"], waba_ids: ["900"] },
      ["a"],
    ],
    ["gets nothing without a number where it names one", { phone_number_ids: ["900"] }, []],
  ];
  it.each(matching)("%s", async (_name, wish, expected) => {
    const { id } = await buildTenant(database.db);
    const endpoint = await buildEndpoint(database.db, id, wish);
    const events = Object.entries({
      a: { type: "message.received", phoneNumberId: "101", wabaId: "900" },
      b: { type: "message.status.read", phoneNumberId: "102", wabaId: "901" },
      c: { type: "message.echo" },
      d: { type: "unknown.a_b" },
      e: { type: "unknown.axb" },
      f: { type: "account.updated", wabaId: "900" },
    }).map(([name, fields]) => event(id, { ...fields, body: Buffer.from(name) }));
    await writeNotifications(database.db, [notification(events)]);
    const rows = await eventsOf(id);
    const owed = await deliveriesOf(id);
    expect(owed.every((row) => row.endpoint_id === endpoint.id)).toBe(true);
    const names = owed.map((row) => rows.find((each) => each.id === row.event_id)?.body.toString());
    expect(names.toSorted(byText)).toEqual(expected);
  });

  it.each(["active", "paused", "held", "disabled"] as const)(
    "that is %s is owed what comes, whose horizon has not run yet",
    async (state) => {
      const { id } = await buildTenant(database.db);
      const stopped_at = state === "active" ? null : new Date(Date.now() - 60_000);
      await buildEndpoint(database.db, id, {}, { state, stopped_at, stopped_ms: "5000" });
      await writeNotifications(database.db, [notification([event(id)])]);
      const [row] = await deliveriesOf(id);
      expect(row?.state).toBe("pending");
      const before = Number(row?.stopped_ms_before);
      expect(before - (state === "active" ? 5000 : 65_000)).toSatisfy(
        (ms: number) => ms >= 0 && ms < 10_000,
      );
    },
  );

  it("gets nothing of another tenant's, nor what has no owner", async () => {
    const [one, other] = [await buildTenant(database.db), await buildTenant(database.db)];
    await buildEndpoint(database.db, one.id);
    await writeNotifications(database.db, [notification([event(other.id), event(NO_TENANT)])]);
    expect(await deliveriesOf(one.id)).toEqual([]);
    expect(await deliveriesOf(NO_TENANT)).toEqual([]);
    expect(await eventsOf(NO_TENANT)).toHaveLength(1);
  });
});

describe("a delivery's id", () => {
  it("follows from endpoint and event alone, and is another one for each of both", async () => {
    const { id } = await buildTenant(database.db);
    const endpoints = [await buildEndpoint(database.db, id), await buildEndpoint(database.db, id)];
    const identities = [identity(`${id} 1`), identity(`${id} 2`)];
    await writeNotifications(
      database.db,
      identities.map((each) => notification([event(id, { identity: each })])),
    );
    const expected = endpoints.flatMap((endpoint) =>
      identities.map((each) => {
        const digest = createHash("sha256").update(endpoint.id).update(each).digest("hex");
        return `dlv_x${each.toString("hex").slice(0, 12)}${digest.slice(0, 13)}`;
      }),
    );
    const ids = (await deliveriesOf(id)).map((row) => row.id);
    expect(ids.toSorted()).toEqual(expected.toSorted());
    expect(new Set(ids).size).toBe(4);
  });
});
