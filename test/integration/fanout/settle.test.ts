import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries, type ClaimedDelivery } from "../../../src/fanout/claim.ts";
import { deleteEndpoint } from "../../../src/fanout/endpoints.ts";
import { getDelivery } from "../../../src/fanout/read-deliveries.ts";
import {
  type AttemptRecord,
  settleDeliveries,
  type Settlement,
} from "../../../src/fanout/settle.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function claimed(count: number): Promise<ClaimedDelivery[]> {
  const { id } = await buildTenant(database.db);
  await buildEndpoint(database.db, id, { max_in_flight: 100 });
  const events = Array.from({ length: count }, () => event(id));
  await writeNotifications(database.db, [notification(events)]);
  const { deliveries: all } = await claimDeliveries(database.inOneTrip, { deliveriesMax: 100 });
  return all.filter((delivery) => delivery.tenant_id === id);
}

function attempt(fields: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    startedAt: new Date(),
    durationMs: 12,
    status: 200,
    answer: null,
    outcome: "delivered",
    reason: "First attempt.",
    next: "Nothing more.",
    ...fields,
  };
}

const settle = (...settlements: Omit<Settlement, "sign">[]) =>
  settleDeliveries(database.db, settlements);

/** As a tenant sees it, once no other transaction of the server holds it back. */
const seen = ({ tenant_id, id }: ClaimedDelivery) =>
  eventually(() => getDelivery(database.db, tenant_id, { deliveryId: id, among: null }));

const live = async ({ id }: ClaimedDelivery) =>
  database.db.selectFrom("delivery").selectAll().where("id", "=", id).executeTakeFirst();

describe("a delivery that is settled", () => {
  it.each(["delivered", "exhausted"] as const)(
    "as %s moves to the finished ones, with its attempt",
    async (state) => {
      const [delivery] = (await claimed(1)) as [ClaimedDelivery];
      const record = attempt({ outcome: state, status: 503, answer: Buffer.from("no") });
      expect(await settle({ delivery, state, nextAttemptAt: null, attempt: record })).toEqual([
        true,
      ]);
      expect(await live(delivery)).toBeUndefined();
      expect(await seen(delivery)).toMatchObject({
        delivery: {
          id: delivery.id,
          event_id: delivery.event_id,
          state,
          attempt_count: 1,
          next_attempt_at: null,
          finished_at: expect.any(Date),
        },
        attempts: [
          {
            id: expect.stringMatching(/^att_[0-9a-z]{26}$/),
            number: 1,
            status: 503,
            answer: Buffer.from("no"),
            duration_ms: 12,
            outcome: state,
          },
        ],
      });
    },
  );

  it("to be tried again waits until then, under no lease", async () => {
    const [delivery] = (await claimed(1)) as [ClaimedDelivery];
    const nextAttemptAt = new Date(Date.now() + 60_000);
    const record = attempt({ outcome: "retry", status: null });
    await settle({ delivery, state: "pending", nextAttemptAt, attempt: record });
    expect(await live(delivery)).toMatchObject({
      state: "pending",
      next_attempt_at: nextAttemptAt,
      attempt_count: 1,
      lease_token: null,
      lease_until: null,
    });
    expect((await seen(delivery)).attempts).toMatchObject([{ number: 1, outcome: "retry" }]);
  });

  it("because we stop is not charged an attempt, and shows none", async () => {
    const [delivery] = (await claimed(1)) as [ClaimedDelivery];
    expect(delivery.attempt_count).toBe(1);
    const nextAttemptAt = new Date();
    await settle({ delivery, state: "pending", nextAttemptAt, attempt: undefined });
    expect(await live(delivery)).toMatchObject({ state: "pending", attempt_count: 0 });
    const { deliveries: again } = await claimDeliveries(database.inOneTrip, { deliveriesMax: 100 });
    expect(again).toContainEqual(expect.objectContaining({ id: delivery.id, attempt_count: 1 }));
    expect((await seen(delivery)).attempts).toEqual([]);
  });

  it("among many is told which of them counted", async () => {
    const deliveries = await claimed(4);
    const [stolen, done, again, gone] = deliveries as [
      ClaimedDelivery,
      ClaimedDelivery,
      ClaimedDelivery,
      ClaimedDelivery,
    ];
    const settlement = { state: "delivered", nextAttemptAt: null, attempt: attempt() } as const;
    await settle({ ...settlement, delivery: gone });
    const results = await settle(
      {
        ...settlement,
        delivery: { ...stolen, lease_token: "00000000-0000-4000-8000-000000000000" },
      },
      { ...settlement, delivery: done },
      { ...settlement, delivery: again, state: "pending", nextAttemptAt: new Date() },
      { ...settlement, delivery: gone },
    );
    expect(results).toEqual([false, true, true, false]);
    expect(await live(stolen)).toMatchObject({ state: "delivering" });
    const attempts = await database.db
      .selectFrom("attempt")
      .select("delivery_id")
      .where("tenant_id", "=", done.tenant_id)
      .execute();
    expect(attempts.map(({ delivery_id }) => delivery_id).toSorted()).toEqual(
      [done.id, again.id, gone.id].toSorted(),
    );
  });

  it("twice is settled once", async () => {
    const [delivery] = (await claimed(1)) as [ClaimedDelivery];
    const settlement = { delivery, state: "delivered", nextAttemptAt: null } as const;
    const results = await Promise.all([
      settle({ ...settlement, attempt: attempt() }),
      settle({ ...settlement, attempt: attempt() }),
    ]);
    expect(results.flat().filter((isSettled) => isSettled)).toHaveLength(1);
    expect((await seen(delivery)).attempts).toHaveLength(1);
  });

  it("of an endpoint that is gone by then stays cancelled", async () => {
    const [delivery] = (await claimed(1)) as [ClaimedDelivery];
    await deleteEndpoint(database.db, delivery.tenant_id, {
      endpointId: delivery.endpoint_id,
      among: null,
    });
    expect(
      await settle({ delivery, state: "delivered", nextAttemptAt: null, attempt: attempt() }),
    ).toEqual([false]);
    expect((await seen(delivery)).delivery).toMatchObject({ state: "cancelled" });
  });

  it("keeps its place among the deliveries of its event", async () => {
    const [delivery] = (await claimed(1)) as [ClaimedDelivery];
    const before = (await seen(delivery)).delivery;
    await settle({ delivery, state: "delivered", nextAttemptAt: null, attempt: attempt() });
    const { event_xid, event_seq, endpoint_id, created_at } = before;
    expect((await seen(delivery)).delivery).toMatchObject({
      event_xid,
      event_seq,
      endpoint_id,
      created_at,
    });
  });
});
