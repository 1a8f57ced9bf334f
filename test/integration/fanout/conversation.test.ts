import { createHash } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import { claimDeliveries, type ClaimedDelivery } from "../../../src/fanout/claim.ts";
import { settleAttempts } from "../../../src/fanout/settle-attempts.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildEndpoint, buildTenant, event, notification } from "../rows.ts";

const policy = { holdAfter: 10, probeEveryMs: 30_000, disableAfterMs: 86_400_000 };
const conversationOf = (user: string): Buffer => createHash("sha256").update(user).digest();

const users = (claimed: ClaimedDelivery[]): string[] =>
  claimed.map(({ body }) => body.toString()).toSorted();

describe("an endpoint in order", () => {
  let database: TestDatabase;
  let tenantId: string;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    await database.db.deleteFrom("delivery").execute();
    ({ id: tenantId } = await buildTenant(database.db));
    await buildEndpoint(database.db, tenantId, { ordering: "conversation", max_in_flight: 8 });
  });
  afterAll(() => database.drop());

  /** One event after the other, of these users. */
  async function write(...names: string[]): Promise<void> {
    for (const user of names) {
      const given = event(tenantId, {
        conversation: conversationOf(user),
        body: Buffer.from(user),
      });
      await writeNotifications(database.db, [notification([given])]);
    }
  }

  const claim = async (): Promise<ClaimedDelivery[]> =>
    (await claimDeliveries(database.inOneTrip, { deliveriesMax: 100 })).deliveries;

  function settle(
    delivery: ClaimedDelivery,
    state: "delivered" | "exhausted" | "pending",
    nextAttemptAt: Date | null = null,
  ): Promise<unknown> {
    const settlement = { delivery, state, nextAttemptAt, attempt: undefined, sign: undefined };
    return settleAttempts(database.db, [settlement], policy);
  }

  it("is given one delivery of each conversation at a time", async () => {
    await write("a", "a", "b", "a", "c");
    expect(users(await claim())).toEqual(["a", "b", "c"]);
    expect(await claim()).toEqual([]);
  });

  it("is given the next one when the one before has ended, delivered or exhausted", async () => {
    await write("a", "a", "a");
    const [first] = (await claim()) as [ClaimedDelivery];
    await settle(first, "delivered");
    const [second] = (await claim()) as [ClaimedDelivery];
    expect(BigInt(second.event_seq)).toBeGreaterThan(BigInt(first.event_seq));
    await settle(second, "exhausted");
    expect(await claim()).toHaveLength(1);
  });

  it("is not given the next one while the one before waits to be tried again", async () => {
    await write("a", "b", "a");
    const claimed = await claim();
    const a = claimed.find(({ body }) => body.toString() === "a") as ClaimedDelivery;
    await settle(a, "pending", new Date(Date.now() + 60_000));
    await write("a");
    expect(await claim()).toEqual([]);
  });

  it("is given others behind a long conversation that waits", async () => {
    await write(...Array.from({ length: 40 }, () => "a"));
    const [first] = (await claim()) as [ClaimedDelivery];
    await settle(first, "pending", new Date(Date.now() + 60_000));
    await write("b");
    const found: ClaimedDelivery[] = [];
    // What is put off is looked at once, and then no longer in the way.
    for (let look = 0; look < 10 && found.length === 0; look += 1) {
      found.push(...(await claim()));
    }
    expect(users(found)).toEqual(["b"]);
  });

  it("is given each conversation in order by several workers, some attempts failing", async () => {
    const names = ["a", "b", "c"];
    await write(...Array.from({ length: 45 }, (_, index) => names[index % 3] ?? ""));
    const delivered = new Map(names.map((name) => [name, [] as bigint[]]));
    const underWay = new Set<string>();
    async function work(): Promise<void> {
      while ([...delivered.values()].some((each) => each.length < 15)) {
        for (const delivery of await claim()) {
          const user = delivery.body.toString();
          expect(underWay.has(user)).toBe(false);
          underWay.add(user);
          await sql`select pg_sleep(0.002)`.execute(database.db);
          underWay.delete(user);
          if (Math.random() < 0.3) {
            await settle(delivery, "pending", new Date());
          } else {
            delivered.get(user)?.push(BigInt(delivery.event_seq));
            await settle(delivery, "delivered");
          }
        }
      }
    }
    await Promise.all([work(), work(), work(), work()]);
    for (const seqs of delivered.values()) {
      expect(seqs).toEqual(seqs.toSorted((x, y) => (x < y ? -1 : 1)));
    }
  });

  it("keeps nobody waiting for what is of no conversation", async () => {
    await write("a");
    await writeNotifications(database.db, [notification([event(tenantId), event(tenantId)])]);
    expect(await claim()).toHaveLength(3);
  });
});
