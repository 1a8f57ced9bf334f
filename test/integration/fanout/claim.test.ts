import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries, type Claimed, type ClaimedDelivery } from "../../../src/fanout/claim.ts";
import { settleDeliveries } from "../../../src/fanout/settle.ts";
import { Secret } from "../../../src/secret.ts";
import { openDatabase, type OpenDatabase } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

let database: TestDatabase;
let processes: OpenDatabase[];
beforeAll(async () => {
  database = await createTestDatabase();
  const url = new Secret(database.url);
  processes = Array.from({ length: 4 }, () => openDatabase({ url, onIdleError: () => {} }));
});
afterAll(async () => {
  await Promise.all(processes.map(({ close }) => close()));
  await database.drop();
});

/** An endpoint of a tenant of its own, with this many deliveries due. */
async function endpointWith(
  deliveries: number,
  fields: Parameters<typeof buildEndpoint>[2] = {},
  condition: Parameters<typeof buildEndpoint>[3] = {},
): Promise<{ id: string; tenantId: string }> {
  const { id: tenantId } = await buildTenant(database.db);
  const { id } = await buildEndpoint(database.db, tenantId, fields, condition);
  const events = Array.from({ length: deliveries }, () => event(tenantId));
  await writeNotifications(database.db, [notification(events)]);
  return { id, tenantId };
}

const claimFrom = async (
  { inOneTrip }: Pick<OpenDatabase, "inOneTrip">,
  deliveriesMax: number,
): Promise<ClaimedDelivery[]> => (await claimDeliveries(inOneTrip, { deliveriesMax })).deliveries;

const claim = (deliveriesMax = 1000) => claimFrom(database, deliveriesMax);

const DELIVERED = { state: "delivered", nextAttemptAt: null, attempt: undefined } as const;
const now = (): number => performance.now();

const rowOf = (delivery: { id: string }) =>
  database.db
    .selectFrom("delivery")
    .selectAll()
    .where("id", "=", delivery.id)
    .executeTakeFirstOrThrow();

const of = (endpoint: { id: string }, claimed: ClaimedDelivery[]) =>
  claimed.filter((delivery) => delivery.endpoint_id === endpoint.id);

/** What a test leaves must not be there for the next one. */
const removeAll = () => database.db.deleteFrom("delivery").execute();

describe("a claim", () => {
  it("gives all that an attempt needs, under a lease longer than the attempt", async () => {
    await removeAll();
    const endpoint = await endpointWith(0, { timeout_seconds: 7, format: "event" });
    const body = Buffer.from([0, 1, 255]);
    const given = event(endpoint.tenantId, { body, phoneNumberId: "101", wabaId: "900" });
    await writeNotifications(database.db, [notification([given])]);
    const [delivery] = await claim();
    expect(delivery).toMatchObject({
      tenant_id: endpoint.tenantId,
      endpoint_id: endpoint.id,
      attempt_count: 1,
      endpoint: { id: endpoint.id, format: "event", timeout_seconds: 7, headers_sealed: null },
      type: "message.received",
      phone_number_id: "101",
      waba_id: "900",
      body,
    });
    const { rows } = await sql<{ seconds: number }>`
      select extract(epoch from lease_until - now())::float as seconds
      from delivery where id = ${delivery?.id}`.execute(database.db);
    expect(rows[0]?.seconds).toBeGreaterThan(7);
    expect(rows[0]?.seconds).toBeLessThanOrEqual(7 + 12);
  });

  it("gives a delivery to one process only", async () => {
    await removeAll();
    await endpointWith(300, { max_in_flight: 100 });
    await endpointWith(300, { max_in_flight: 100 });
    const claims = await Promise.all(processes.map((each) => claimFrom(each, 50)));
    const ids = claims.flat().map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await claim(0)).toEqual([]);
  });

  it("gives no more than is asked for", async () => {
    await removeAll();
    await endpointWith(20, { max_in_flight: 100 });
    expect(await claim(7)).toHaveLength(7);
  });

  it("gives only what is due", async () => {
    await removeAll();
    await endpointWith(3);
    await sql`update delivery set next_attempt_at = now() + interval '1 minute'`.execute(
      database.db,
    );
    expect(await claim()).toEqual([]);
    await sql`update delivery set next_attempt_at = now() - interval '1 second'`.execute(
      database.db,
    );
    expect(await claim()).toHaveLength(3);
  });

  it.each(["paused", "held", "disabled"] as const)(
    "leaves alone what waits for an endpoint that is %s",
    async (state) => {
      await removeAll();
      const endpoint = await endpointWith(3);
      await database.db
        .updateTable("webhook_endpoint")
        .set({ state })
        .where("id", "=", endpoint.id)
        .execute();
      expect(await claim()).toEqual([]);
    },
  );

  it("probes a held endpoint with one delivery at a time, whenever that would be due", async () => {
    await removeAll();
    const held = { state: "held", stopped_at: new Date(), probe_at: new Date() } as const;
    const endpoint = await endpointWith(3, {}, { ...held, failure_count: 10 });
    await sql`update delivery set next_attempt_at = now() + interval '1 hour'`.execute(database.db);
    const claimed = await claim();
    expect(claimed).toMatchObject([
      { endpoint_id: endpoint.id, endpoint: { held: true, troubled: true } },
    ]);
    expect(await claim()).toEqual([]);
  });

  it("leaves alone an endpoint that is not to be probed yet, or has asked for a pause", async () => {
    await removeAll();
    const later = new Date(Date.now() + 60_000);
    await endpointWith(3, {}, { state: "held", probe_at: later });
    await endpointWith(3, {}, { not_before: later });
    expect(await claim()).toEqual([]);
  });

  it("gives an endpoint no more than its rate over all processes, and tells when to come again", async () => {
    await removeAll();
    const endpoint = await endpointWith(200, { rate_per_second: 40, max_in_flight: 100 });
    const startedMs = performance.now();
    const given: number[] = [];
    while (performance.now() - startedMs < 1500) {
      const [{ deliveries, again }] = (await Promise.all([
        claimDeliveries(database.inOneTrip, { deliveriesMax: 100 }),
        claimFrom(processes[0]!, 100).then((more) => given.push(...more.map(() => now()))),
      ])) as [Claimed, unknown];
      given.push(...deliveries.map(() => now()));
      if (deliveries.length > 0) {
        expect(again.get(endpoint.tenantId)).toBe(50);
      }
      await settleDeliveries(
        database.db,
        deliveries.map((delivery) => ({ delivery, ...DELIVERED })),
      );
    }
    const inAnySecond = given.map(
      (atMs) => given.filter((other) => other >= atMs && other < atMs + 1000).length,
    );
    expect(Math.max(...inAnySecond)).toBeLessThanOrEqual(43);
    expect(given.length).toBeGreaterThan(40);
  });

  it("gives a tenant no more than leaves room for others", async () => {
    await removeAll();
    const greedy = await endpointWith(100, { max_in_flight: 100 });
    const other = await endpointWith(1);
    const underWay = new Map([[greedy.tenantId, 60]]);
    const { deliveries } = await claimDeliveries(database.inOneTrip, {
      deliveriesMax: 100,
      underWay,
      room: 64,
    });
    expect(of(greedy, deliveries)).toHaveLength(4);
    expect(of(other, deliveries)).toHaveLength(1);
  });

  it("deals to endpoints and tenants in turn, however much one has waiting", async () => {
    await removeAll();
    const greedy = await endpointWith(100, { max_in_flight: 100 });
    const others = [await endpointWith(3), await endpointWith(3), await endpointWith(3)];
    const claimed = await claim(12);
    expect(of(greedy, claimed)).toHaveLength(3);
    expect(others.map((other) => of(other, claimed).length)).toEqual([3, 3, 3]);
  });

  it("never goes past an endpoint's max_in_flight", async () => {
    await removeAll();
    const endpoint = await endpointWith(30, { max_in_flight: 4 });
    const first = await claim();
    expect(first).toHaveLength(4);
    expect(await claim()).toEqual([]);
    const [done] = first as [ClaimedDelivery];
    await settleDeliveries(database.db, [
      { delivery: done, state: "pending", nextAttemptAt: new Date(), attempt: undefined },
    ]);
    expect(of(endpoint, await claim())).toHaveLength(1);
  });

  it("never goes past it over several processes that claim at once", async () => {
    await removeAll();
    const endpoints = await Promise.all(
      Array.from({ length: 10 }, () => endpointWith(60, { max_in_flight: 3 })),
    );
    const counts: number[] = [];
    for (let round = 0; round < 20; round++) {
      const claimed = (
        await Promise.all([...processes, ...processes].map((each) => claimFrom(each, 100)))
      ).flat();
      counts.push(...endpoints.map((endpoint) => of(endpoint, claimed).length));
      await settleDeliveries(
        database.db,
        claimed.map((delivery) => ({
          delivery,
          state: "pending" as const,
          nextAttemptAt: new Date(0),
          attempt: undefined,
        })),
      );
    }
    expect(Math.max(...counts)).toBe(3);
  });

  it("is not kept from an endpoint by another one's backlog", async () => {
    await removeAll();
    const slow = await endpointWith(5000);
    const healthy = await Promise.all(Array.from({ length: 20 }, () => endpointWith(3)));
    const claimed = await claim(100);
    expect(of(slow, claimed).length).toBeLessThanOrEqual(10);
    for (const endpoint of healthy) {
      expect(of(endpoint, claimed)).toHaveLength(3);
    }
  });

  it("is not kept from an endpoint by endpoints that have no slot left", async () => {
    await removeAll();
    await Promise.all(Array.from({ length: 5 }, () => endpointWith(10, { max_in_flight: 2 })));
    expect(await claim(100)).toHaveLength(10);
    const fresh = await endpointWith(3);
    expect(of(fresh, await claim(5))).toHaveLength(3);
  });
});

const lapse = () =>
  sql`update delivery set lease_until = now() - interval '1 second'
    where state = 'delivering'`.execute(database.db);

describe("a lease", () => {
  it("that has run out gives the delivery back, with its attempt counted", async () => {
    await removeAll();
    await endpointWith(1);
    const [first] = (await claim()) as [ClaimedDelivery];
    expect(await claim()).toEqual([]);
    await lapse();
    const [second] = (await claim()) as [ClaimedDelivery];
    expect(second).toMatchObject({ id: first.id, attempt_count: 2 });
    expect(second.lease_token).not.toBe(first.lease_token);
  });

  it("that has run out gives it back to one of several processes", async () => {
    await removeAll();
    await endpointWith(50, { max_in_flight: 100 });
    expect(await claim()).toHaveLength(50);
    await lapse();
    const claims = [];
    for (let round = 0; round < 3; round++) {
      const found = await Promise.all(processes.map((each) => claimFrom(each, 100)));
      claims.push(...found.flat());
    }
    expect(claims).toHaveLength(50);
    expect(new Set(claims.map(({ id }) => id)).size).toBe(50);
  });

  it("that has run out is left to who has it in hand, and keeps nobody waiting", async () => {
    await removeAll();
    await endpointWith(3);
    const [inHand] = (await claim()) as [ClaimedDelivery];
    await lapse();
    await database.db.transaction().execute(async (other) => {
      await other
        .selectFrom("delivery")
        .select("id")
        .where("id", "=", inHand.id)
        .forUpdate()
        .execute();
      expect(await claim()).toHaveLength(2);
    });
    expect(await claim()).toMatchObject([{ id: inHand.id, attempt_count: 2 }]);
  });

  it("that another process has now keeps the older one from settling", async () => {
    await removeAll();
    await endpointWith(1);
    const [older] = (await claim()) as [ClaimedDelivery];
    await lapse();
    const [newer] = (await claim()) as [ClaimedDelivery];
    const settlement = { state: "delivered", nextAttemptAt: null, attempt: undefined } as const;
    expect(await settleDeliveries(database.db, [{ ...settlement, delivery: older }])).toEqual([
      false,
    ]);
    expect(await rowOf(newer)).toMatchObject({
      state: "delivering",
      lease_token: newer.lease_token,
    });
    expect(await settleDeliveries(database.db, [{ ...settlement, delivery: newer }])).toEqual([
      true,
    ]);
  });
});
