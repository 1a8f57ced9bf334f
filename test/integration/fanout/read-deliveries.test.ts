import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries } from "../../../src/fanout/claim.ts";
import { deleteEndpoint } from "../../../src/fanout/endpoints.ts";
import {
  type DeliveryFilter,
  type DeliveryRow,
  readDeliveries,
} from "../../../src/fanout/read-deliveries.ts";
import { settleDeliveries } from "../../../src/fanout/settle.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

let database: TestDatabase;
let tenantId: string;
let all: DeliveryRow[];

const read = (filter: Partial<DeliveryFilter & { limit: number; after: string[] }> = {}) =>
  readDeliveries(database.db, tenantId, { limit: 1000, among: null, after: undefined, ...filter });

/** Of every state some, to several endpoints. */
beforeAll(async () => {
  database = await createTestDatabase();
  const { db } = database;
  ({ id: tenantId } = await buildTenant(db));
  await buildEndpoint(db, tenantId, { max_in_flight: 100 });
  await buildEndpoint(db, tenantId, { max_in_flight: 100 });
  await buildEndpoint(db, tenantId, {}, { state: "paused" });
  const gone = await buildEndpoint(db, tenantId);
  for (let n = 0; n < 10; n++) {
    const events = ["101", "102"].map((phoneNumberId) => event(tenantId, { phoneNumberId }));
    await writeNotifications(db, [notification(events)]);
  }
  await deleteEndpoint(db, tenantId, { endpointId: gone.id, among: null });
  const { deliveries } = await claimDeliveries(database.inOneTrip, {
    deliveriesMax: 24,
    tenantIds: [tenantId],
  });
  const at = { startedAt: new Date(), durationMs: 1, status: 200, answer: null };
  await settleDeliveries(
    db,
    deliveries.slice(0, 20).map((delivery, n) => {
      const state: "delivered" | "exhausted" = n % 2 === 0 ? "delivered" : "exhausted";
      const attempt = { ...at, outcome: state, reason: "First attempt.", next: "Nothing more." };
      return { delivery, state, nextAttemptAt: null, attempt };
    }),
  );
  all = await eventually(async () => {
    const rows = await read();
    return rows.length === 80 && rows;
  });
});
afterAll(() => database.drop());

const idsOf = (rows: readonly DeliveryRow[]) => rows.map(({ id }) => id);

async function page(filter: Partial<DeliveryFilter>, limit: number): Promise<DeliveryRow[]> {
  const rows = (await read({ ...filter, limit })).slice(0, limit);
  for (let last = rows.at(-1); last !== undefined;) {
    const after = [last.event_xid, last.event_seq, last.endpoint_id];
    const next = (await read({ ...filter, limit, after })).slice(0, limit);
    rows.push(...next);
    last = next.at(-1);
  }
  return rows;
}

describe("the list of deliveries", () => {
  it("has some in every state", () => {
    const states = new Set(all.map(({ state }) => state));
    expect([...states].toSorted()).toEqual(
      ["cancelled", "delivered", "delivering", "exhausted", "held", "pending"].toSorted(),
    );
  });

  it.each([undefined, "pending", "delivering", "held", "delivered", "exhausted", "cancelled"])(
    "in state %s gives, page by page, what the whole list has of it, by endpoint too",
    async (state) => {
      const endpointIds = [undefined, ...new Set(all.map(({ endpoint_id }) => endpoint_id))];
      for (const endpointId of endpointIds) {
        const wanted = all.filter(
          (row) =>
            (state === undefined || row.state === state) &&
            (endpointId === undefined || row.endpoint_id === endpointId),
        );
        expect(idsOf(await page({ state, endpointId }, 3))).toEqual(idsOf(wanted));
      }
    },
  );

  it("of an event, of a span of time, of some numbers has those only", async () => {
    const middle = all[40]?.created_at ?? new Date();
    const [one] = all;
    expect(idsOf(await read({ eventId: one?.event_id }))).toEqual(
      idsOf(all.filter(({ event_id }) => event_id === one?.event_id)),
    );
    expect(await read({ eventId: "evt_missing" })).toEqual([]);
    for (const state of [undefined, "exhausted"]) {
      const ofState = all.filter((row) => state === undefined || row.state === state);
      expect(idsOf(await read({ from: middle, state }))).toEqual(
        idsOf(ofState.filter(({ created_at }) => created_at >= middle)),
      );
      expect(idsOf(await read({ to: middle, state }))).toEqual(
        idsOf(ofState.filter(({ created_at }) => created_at < middle)),
      );
    }
    expect(await page({ among: ["101"] }, 7)).toHaveLength(40);
    expect(await read({ among: ["103"] })).toEqual([]);
  });
});
