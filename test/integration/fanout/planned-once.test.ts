import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries, type ClaimedDelivery } from "../../../src/fanout/claim.ts";
import { settleAttempts } from "../../../src/fanout/settle-attempts.ts";
import type { OpenDatabase } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { openPlanned, rowsRead } from "../planned.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

const EVENTS = 600;
const ENDED = { nextAttemptAt: null, attempt: undefined, sign: undefined };
const policy = { holdAfter: 10, probeEveryMs: 30_000, disableAfterMs: 86_400_000 };

describe("what delivers, planned while there is nothing", () => {
  let database: TestDatabase;
  let planned: OpenDatabase;
  let tenantId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    planned = openPlanned(database);
    ({ id: tenantId } = await buildTenant(database.db));
    await buildEndpoint(database.db, tenantId, { max_in_flight: 100 });
    await buildEndpoint(database.db, tenantId, { max_in_flight: 100 });
  });
  afterAll(async () => {
    await planned.close();
    await database.drop();
  });

  const write = (count: number): Promise<unknown> =>
    writeNotifications(database.db, [
      notification(Array.from({ length: count }, () => event(tenantId))),
    ]);

  const claim = async (): Promise<ClaimedDelivery[]> =>
    (await claimDeliveries(planned.inOneTrip, { deliveriesMax: 100, tenantIds: [tenantId] }))
      .deliveries;

  const settle = (claimed: ClaimedDelivery[]): Promise<unknown> =>
    settleAttempts(
      planned.db,
      claimed.map((delivery) => ({ ...ENDED, state: "delivered" as const, delivery })),
      policy,
    );

  const entriesRead = (table: string): Promise<number> => rowsRead(planned.db, table);

  it("reads no more when there is much", async () => {
    await write(1);
    await settle(await claim());
    await write(EVENTS);
    const before = [await entriesRead("event"), await entriesRead("delivery")];
    const claimed = await claim();
    await settle(claimed);
    expect(claimed).toHaveLength(100);
    const after = [await entriesRead("event"), await entriesRead("delivery")];
    // Some for each of the hundred, and not all that the tenant has for each of them.
    expect((after[0] ?? 0) - (before[0] ?? 0)).toBeLessThan(10 * claimed.length);
    expect((after[1] ?? 0) - (before[1] ?? 0)).toBeLessThan(20 * claimed.length);
  });
});
