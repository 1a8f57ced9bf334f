import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  announceChange,
  type Change,
  type ChangeFeed,
  startChangeFeed,
} from "../../../src/store/change-feed.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { Secret } from "../../../src/secret.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
const feeds: ChangeFeed[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await Promise.all(feeds.map((feed) => feed.stop()));
  await database.drop();
});

/** A process that has read everything there was when it started. */
async function startReader(): Promise<{ feed: ChangeFeed; heard: Change[] }> {
  const heard: Change[] = [];
  const feed = startChangeFeed({ db: database.db, onError: () => {} });
  feeds.push(feed);
  await feed.read();
  feed.subscribe((change) => heard.push(change));
  return { feed, heard };
}

const tenant = (key: string) => ({ kind: "tenant", key }) as const;

describe("a change", () => {
  it("is heard of by every process, once", async () => {
    const [one, other] = [await startReader(), await startReader()];
    await announceChange(database.db, tenant("a"));
    for (const { feed, heard } of [one, other]) {
      await feed.read();
      await feed.read();
      expect(heard).toEqual([tenant("a")]);
    }
  });

  it("is heard of by everybody who listens in a process", async () => {
    const { feed, heard } = await startReader();
    const alsoHeard: Change[] = [];
    feed.subscribe((change) => alsoHeard.push(change));
    await announceChange(database.db, { kind: "hook", key: "num_a" });
    await feed.read();
    expect([heard, alsoHeard]).toEqual([
      [{ kind: "hook", key: "num_a" }],
      [{ kind: "hook", key: "num_a" }],
    ]);
  });

  it("that is committed late is heard of, though later ones have been", async () => {
    const { feed, heard } = await startReader();
    const announced = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const late = database.db.transaction().execute(async (trx) => {
      await announceChange(trx, tenant("late"));
      announced.resolve();
      await mayCommit.promise;
    });
    await announced.promise;
    await announceChange(database.db, tenant("quick"));
    await feed.read();
    expect(heard).toEqual([tenant("quick")]);
    mayCommit.resolve();
    await late;
    await feed.read();
    expect(heard).toEqual([tenant("quick"), tenant("late")]);
  });

  it("that is rolled back is never heard of", async () => {
    const { feed, heard } = await startReader();
    const rolledBack = database.db.transaction().execute(async (trx) => {
      await announceChange(trx, tenant("undone"));
      throw new Error("not after all");
    });
    await expect(rolledBack).rejects.toThrow("not after all");
    await feed.read();
    expect(heard).toEqual([]);
  });

  it("is heard of in the order in which changes were made", async () => {
    const { feed, heard } = await startReader();
    const keys = ["1", "2", "3"];
    for (const key of keys) {
      await announceChange(database.db, tenant(key));
    }
    await feed.read();
    expect(heard.map(({ key }) => key)).toEqual(keys);
  });
});

describe("a feed", () => {
  it("is fresh once it has read", async () => {
    const { feed } = await startReader();
    expect(feed.fresh()).toBe(true);
  });

  it("tells why it could not read, and reads on", async () => {
    const errors: unknown[] = [];
    const opened = openDatabase({ url: new Secret(database.url), onIdleError: () => {} });
    const feed = startChangeFeed({ db: opened.db, onError: (error) => errors.push(error) });
    await feed.read();
    expect(errors).toEqual([]);
    await opened.close();
    await feed.read();
    await feed.read();
    await feed.stop();
    expect(errors.length).toBeGreaterThanOrEqual(2);
  });
});
