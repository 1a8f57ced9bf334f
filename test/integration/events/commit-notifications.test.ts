import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CommitNotifications,
  createCommitNotifications,
} from "../../../src/events/commit-notifications.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildEndpoint, buildTenant, event, identity, notification } from "../rows.ts";

let database: TestDatabase;
let commit: CommitNotifications;
beforeAll(async () => {
  database = await createTestDatabase();
  commit = createCommitNotifications(database.db);
});
afterAll(async () => {
  await commit.drain();
  await database.drop();
});

describe("a notification that PostgreSQL refuses", () => {
  it("is told so, and neither blocks nor loses its neighbours", async () => {
    const { id } = await buildTenant(database.db);
    await buildEndpoint(database.db, id);
    const given = Array.from({ length: 30 }, (_, index) =>
      notification([event(id, { type: index % 10 === 5 ? "nul\0" : "message.received" })]),
    );
    const settled = await Promise.allSettled(given.map((each) => commit.add(each)));
    const refused = settled.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
    expect(refused).toEqual([5, 15, 25]);
    const events = await database.db
      .selectFrom("event")
      .select("notification_id")
      .where("tenant_id", "=", id)
      .execute();
    expect(new Set(events.map((row) => row.notification_id))).toEqual(
      new Set(given.filter((_, index) => index % 10 !== 5).map((each) => each.id)),
    );
    const { count } = await database.db
      .selectFrom("delivery")
      .select((eb) => eb.fn.countAll<string>().as("count"))
      .where("tenant_id", "=", id)
      .executeTakeFirstOrThrow();
    expect(Number(count)).toBe(27);
  });

  it("leaves no trace that would make its repeat a repeat", async () => {
    const { id } = await buildTenant(database.db);
    const same = { identity: identity(`${id} poison`) };
    await expect(
      commit.add(notification([event(id, { ...same, type: "nul\0" })])),
    ).rejects.toThrow();
    expect(await commit.add(notification([event(id, same)]))).toEqual({ newEventCount: 1 });
  });
});
