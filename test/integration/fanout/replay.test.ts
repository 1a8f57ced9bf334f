import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries, type ClaimedDelivery } from "../../../src/fanout/claim.ts";
import { deleteEndpoint } from "../../../src/fanout/endpoints.ts";
import { getDelivery } from "../../../src/fanout/read-deliveries.ts";
import { hastenDeliveries, replayDeliveries } from "../../../src/fanout/replay.ts";
import { settleDeliveries } from "../../../src/fanout/settle.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildEndpoint, buildTenant, event, identity, notification } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const ALL = { kind: "span", from: new Date(0), to: new Date("2200-01-01") } as const;

type Fields = Partial<Parameters<typeof event>[1]>;

/** A tenant with one endpoint and so many deliveries to it, under way. */
async function claimed(count: number, fields: Fields = {}): Promise<ClaimedDelivery[]> {
  const { id } = await buildTenant(database.db);
  await buildEndpoint(database.db, id, { max_in_flight: 1000, ordering: "conversation" });
  const events = Array.from({ length: count }, () => event(id, fields));
  await writeNotifications(database.db, [notification(events)]);
  const found = await claimDeliveries(database.inOneTrip, { deliveriesMax: 1000, tenantIds: [id] });
  expect(found.deliveries).toHaveLength(count);
  return found.deliveries;
}

async function finish(
  deliveries: readonly ClaimedDelivery[],
  state: "delivered" | "exhausted",
): Promise<void> {
  const settled = deliveries.map((delivery) => {
    const record = { startedAt: new Date(), durationMs: 1, status: 200, answer: null };
    const attempt = { ...record, outcome: state, reason: "First attempt.", next: "Nothing more." };
    return { delivery, state, nextAttemptAt: null, attempt };
  });
  expect(await settleDeliveries(database.db, settled)).not.toContain(false);
}

const live = (tenantId: string) =>
  database.db.selectFrom("delivery").selectAll().where("tenant_id", "=", tenantId).execute();
const finished = (tenantId: string) =>
  database.db
    .selectFrom("delivery_finished")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .execute();

const replay = (
  tenantId: string,
  wish: Parameters<typeof replayDeliveries>[2]["wish"],
  options: Partial<Parameters<typeof replayDeliveries>[2]> = {},
) =>
  replayDeliveries(database.db, tenantId, {
    wish,
    among: null,
    retentionMs: 86_400_000,
    ...options,
  });

describe("a replay", () => {
  it("moves a finished delivery back as it was, with its attempts counted on", async () => {
    const conversation = identity("a conversation");
    const [delivery] = (await claimed(1, { conversation })) as [ClaimedDelivery];
    await finish([delivery], "exhausted");
    const before = await finished(delivery.tenant_id);
    const { replayedIds } = await replay(delivery.tenant_id, ALL);
    expect(replayedIds).toEqual([delivery.id]);
    expect(await finished(delivery.tenant_id)).toEqual([]);
    const [after] = await live(delivery.tenant_id);
    expect(after).toMatchObject({
      id: delivery.id,
      event_id: delivery.event_id,
      event_xid: delivery.event_xid,
      event_seq: delivery.event_seq,
      created_at: before[0]?.created_at,
      conversation,
      state: "pending",
      attempt_count: 1,
      attempts_before_replay: 1,
      replayed_at: expect.any(Date),
    });
    const again = await claimDeliveries(database.inOneTrip, {
      deliveriesMax: 10,
      tenantIds: [delivery.tenant_id],
    });
    expect(again.deliveries).toMatchObject([{ id: delivery.id, attempt_count: 2 }]);
    expect(again.deliveries[0]?.body).toEqual(delivery.body);
  });

  it("spreads what it opens, 50 a second, over many statements", async () => {
    const deliveries = await claimed(101);
    const tenantId = deliveries[0]?.tenant_id ?? "";
    await finish(deliveries.slice(0, 60), "delivered");
    await finish(deliveries.slice(60), "exhausted");
    const { replayedIds, lastDueAt } = await replay(tenantId, ALL, { batchMax: 7 });
    expect(new Set(replayedIds).size).toBe(101);
    const rows = (await live(tenantId)).toSorted(
      (a, b) => Number(a.event_seq) - Number(b.event_seq),
    );
    const dueMs = rows.map(({ next_attempt_at }) => Number(next_attempt_at));
    expect(dueMs.toSorted((a, b) => a - b)).toEqual(dueMs);
    expect(Number(dueMs.at(-1)) - Number(dueMs[0])).toBeGreaterThan(1900);
    expect(Number(lastDueAt)).toBe(dueMs.at(-1));
  });

  it("keeps what it has moved when it stops half way, and says from where to go on", async () => {
    const deliveries = await claimed(30);
    const tenantId = deliveries[0]?.tenant_id ?? "";
    await finish(deliveries, "exhausted");
    const first = await replay(tenantId, ALL, { callMax: 10, batchMax: 4 });
    expect(first.replayedIds).toHaveLength(10);
    expect(first.stoppedAt).toBeInstanceOf(Date);
    expect(await live(tenantId)).toHaveLength(10);
    expect(await finished(tenantId)).toHaveLength(20);
    const rest = await replay(tenantId, { ...ALL, from: first.stoppedAt ?? new Date() });
    expect(rest).toMatchObject({ stoppedAt: null });
    expect(rest.replayedIds).toHaveLength(20);
  });

  it("opens each once when two are made at the same time", async () => {
    const deliveries = await claimed(100);
    const tenantId = deliveries[0]?.tenant_id ?? "";
    await finish(deliveries, "delivered");
    const both = await Promise.all([
      replay(tenantId, ALL, { batchMax: 10 }),
      replay(tenantId, ALL, { batchMax: 9 }),
    ]);
    const ids = both.flatMap(({ replayedIds }) => replayedIds);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await live(tenantId)).toHaveLength(ids.length);
    expect(await finished(tenantId)).toHaveLength(100 - ids.length);
  });

  it("of what failed leaves what was delivered, and what failed before", async () => {
    const deliveries = await claimed(3);
    const tenantId = deliveries[0]?.tenant_id ?? "";
    await finish(deliveries.slice(0, 1), "exhausted");
    const since = (await finished(tenantId))[0]?.finished_at ?? new Date();
    await finish(deliveries.slice(1, 2), "exhausted");
    await finish(deliveries.slice(2), "delivered");
    const later = new Date(since.getTime() + 1);
    expect((await replay(tenantId, { kind: "failed", since: later })).replayedIds).toEqual([
      deliveries[1]?.id,
    ]);
  });

  it("leaves alone what is outside the span, another endpoint's, another number's, another tenant's, too old", async () => {
    const [delivery] = (await claimed(1, { phoneNumberId: "101" })) as [ClaimedDelivery];
    await finish([delivery], "delivered");
    const wish = { kind: "ids", deliveryIds: [delivery.id] } as const;
    const { id: stranger } = await buildTenant(database.db);
    const none = [
      await replay(delivery.tenant_id, { ...ALL, to: new Date(1) }),
      await replay(delivery.tenant_id, { ...ALL, from: new Date("2199-01-01") }),
      await replay(delivery.tenant_id, wish, { endpointId: "whe_other" }),
      await replay(delivery.tenant_id, wish, { among: ["102"] }),
      await replay(stranger, wish),
      await replay(delivery.tenant_id, wish, { retentionMs: 0 }),
    ];
    expect(none.flatMap(({ replayedIds }) => replayedIds)).toEqual([]);
    const mine = await replay(delivery.tenant_id, wish, { among: ["101"] });
    expect(mine.replayedIds).toEqual([delivery.id]);
  });

  it("cannot open what a deleted endpoint was owed", async () => {
    const [one, other] = (await claimed(2)) as [ClaimedDelivery, ClaimedDelivery];
    await finish([one], "delivered");
    const { endpoint_id: endpointId, tenant_id: tenantId } = other;
    await deleteEndpoint(database.db, tenantId, { endpointId, among: null });
    expect((await replay(tenantId, ALL)).replayedIds).toEqual([]);
    const states = (await finished(tenantId)).map(({ state }) => state);
    expect(states.toSorted()).toEqual(["cancelled", "delivered"]);
  });
});

/** Older transactions of other tests' databases hold back what is read. */
const find = (tenantId: string, deliveryId: string) =>
  eventually(() => getDelivery(database.db, tenantId, { deliveryId, among: null }));

describe("a delivery that waits", () => {
  it("is made due, and keeps its horizon", async () => {
    const [delivery] = (await claimed(1)) as [ClaimedDelivery];
    const { id, tenant_id: tenantId } = delivery;
    const hasten = (among: string[] | null) =>
      hastenDeliveries(database.db, tenantId, { deliveryIds: [id], among });
    expect(await hasten(null)).toEqual([]);
    const nextAttemptAt = new Date(Date.now() + 3_600_000);
    await settleDeliveries(database.db, [
      { delivery, state: "pending", nextAttemptAt, attempt: undefined },
    ]);
    expect(await hasten(["102"])).toEqual([]);
    expect(await hasten(null)).toEqual([id]);
    const [row] = await live(tenantId);
    expect(Number(row?.next_attempt_at)).toBeLessThanOrEqual(Date.now());
    expect(row?.replayed_at).toBeNull();
  });

  it("is found by its event among those of the tenant's endpoints, and by nobody else", async () => {
    const tenants = [await buildTenant(database.db), await buildTenant(database.db)];
    for (const { id } of tenants) {
      await buildEndpoint(database.db, id);
      await buildEndpoint(database.db, id);
      await writeNotifications(database.db, [notification([event(id), event(id)])]);
    }
    const [{ id: tenantId } = { id: "" }, { id: otherId } = { id: "" }] = tenants;
    const ids = (await live(tenantId)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) {
      expect(
        await hastenDeliveries(database.db, tenantId, { deliveryIds: [id], among: null }),
      ).toEqual([id]);
      expect((await find(tenantId, id)).delivery.id).toBe(id);
      expect(
        await hastenDeliveries(database.db, otherId, { deliveryIds: [id], among: null }),
      ).toEqual([]);
    }
    const all = await hastenDeliveries(database.db, tenantId, { deliveryIds: ids, among: null });
    expect(all.toSorted()).toEqual(ids.toSorted());
  });

  it("is found by an id from before ids told of events", async () => {
    const { id: tenantId } = await buildTenant(database.db);
    await buildEndpoint(database.db, tenantId);
    await writeNotifications(database.db, [notification([event(tenantId), event(tenantId)])]);
    const [older, newer] = await live(tenantId);
    const olderId = "dlv_0123456789abcdef0123456789";
    await database.db
      .updateTable("delivery")
      .set({ id: olderId })
      .where("id", "=", older?.id ?? "")
      .execute();
    expect((await find(tenantId, olderId)).delivery.id).toBe(olderId);
    const ids = [olderId, newer?.id ?? "", "nonsense"];
    const hastened = await hastenDeliveries(database.db, tenantId, {
      deliveryIds: ids,
      among: null,
    });
    expect(hastened.toSorted()).toEqual(ids.slice(0, 2).toSorted());
  });
});
