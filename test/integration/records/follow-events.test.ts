import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { NO_TENANT } from "../../../src/events/no-tenant.ts";
import { writeNotifications } from "../../../src/events/write-notifications.ts";
import {
  type ApplyEvents,
  type FollowedEvent,
  startFollower,
} from "../../../src/records/follow-events.ts";
import { Secret } from "../../../src/secret.ts";
import { type Database, openDatabase, type OpenDatabase } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { event, notification } from "../rows.ts";

let database: TestDatabase;
let writers: OpenDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const url = new Secret(database.url);
  writers = openDatabase({ url, connectionsMax: 12, onIdleError: () => {} });
});
afterAll(async () => {
  await writers.close();
  await database.drop();
});

const running: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

const TENANT = "ten_followed";
const envelope = (value: unknown) =>
  Buffer.from(JSON.stringify({ entry: [{ changes: [{ field: "messages", value }] }] }));

const write = (db: Database, ...names: string[]) =>
  writeNotifications(db, [
    notification(names.map((name) => event(TENANT, { body: envelope({ name }) }))),
  ]);

const nameOf = ({ value }: FollowedEvent) => (value as { name: string } | undefined)?.name ?? "";

/** A follower that keeps what it applied, as far as it was committed, in order. */
function follow(name: string, ...further: ApplyEvents[]) {
  const errors: unknown[] = [];
  const batches: FollowedEvent[][] = [];
  const keep: ApplyEvents = async (_trx, events) => {
    batches.push([...events]);
  };
  const follower = startFollower({
    db: database.db,
    name,
    apply: [...further, keep],
    onError: (error) => errors.push(error),
  });
  running.push(follower);
  return { ...follower, errors, names: () => batches.flat().map(nameOf), batches };
}

/** Follows from here on; what other tests wrote is behind it. */
async function followFromNow(name: string, ...further: ApplyEvents[]) {
  const before = follow(name, ...further);
  const marker = `marker of ${name}`;
  await write(database.db, marker);
  before.poke();
  await eventually(() => before.names().includes(marker));
  before.batches.length = 0;
  return before;
}

describe("a follower", () => {
  it("gets each event with what it is, and passes over those without an owner", async () => {
    const follower = await followFromNow("shapes");
    await writeNotifications(database.db, [
      notification([
        event(NO_TENANT, { body: envelope({ name: "nobody's" }) }),
        event(TENANT, { body: Buffer.from("no JSON") }),
        event(TENANT, { body: Buffer.from("null") }),
        event(TENANT, {
          type: "message.status.sent",
          phoneNumberId: "101",
          wabaId: "102",
          body: envelope({ name: "mine" }),
        }),
      ]),
    ]);
    follower.poke();
    const events = await eventually(
      () => follower.batches.flat().length === 3 && follower.batches.flat(),
    );
    expect(events.map(({ value }) => value)).toEqual([undefined, undefined, { name: "mine" }]);
    expect(events[2]).toMatchObject({
      tenantId: TENANT,
      type: "message.status.sent",
      phoneNumberId: "101",
      wabaId: "102",
      receivedAt: expect.any(Date),
    });
  });

  it("goes on where it stopped", async () => {
    const first = await followFromNow("again");
    await write(database.db, "a");
    first.poke();
    await eventually(() => first.names().length === 1);
    await first.stop();
    await write(database.db, "b");
    const second = follow("again");
    await eventually(() => second.names().length === 1);
    expect(second.names()).toEqual(["b"]);
  });

  it("does not wait for its next second for what an open transaction holds back", async () => {
    const follower = await followFromNow("soon");
    const begun = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const slow = writers.db.transaction().execute(async (trx) => {
      await write(trx, "slow");
      begun.resolve();
      await mayCommit.promise;
    });
    await begun.promise;
    await write(writers.db, "quick");
    follower.poke();
    mayCommit.resolve();
    await slow;
    await eventually(() => follower.names().length === 2, { withinMs: 900 });
    expect(follower.names()).toEqual(["slow", "quick"]);
  });

  it("and another of its name miss none and apply none twice while commits interleave", async () => {
    const name = "interleaved";
    await (await followFromNow(name)).stop();
    const both = [follow(name), follow(name)];

    async function writeMany(writer: number): Promise<string[]> {
      const names: string[] = [];
      for (let round = 0; round < 40; round++) {
        const each = `${writer}.${round}`;
        names.push(`${each}a`, `${each}b`);
        if ((writer + round) % 3 === 0) {
          await writers.db.transaction().execute(async (trx) => {
            await write(trx, `${each}a`);
            await write(writers.db, `${each}b`);
          });
        } else {
          await write(writers.db, `${each}a`, `${each}b`);
        }
        both[round % 2]?.poke();
      }
      return names;
    }

    const written = (await Promise.all([0, 1, 2, 3].map(writeMany))).flat();
    const seen = () => both.flatMap((each) => each.names());
    await eventually(() => seen().length >= written.length);
    expect(seen().toSorted()).toEqual(written.toSorted());
    expect(both.flatMap((each) => each.errors)).toEqual([]);
  });
});

describe("an event that cannot be applied", () => {
  it("is skipped alone and told, and the other appliers get it all the same", async () => {
    const follower = await followFromNow("poison", async (trx, events) => {
      if (events.some((each) => nameOf(each) === "poison")) {
        await trx.insertInto("tenant").values({ id: "x", name: "\0" }).execute();
      }
    });
    await write(database.db, "a", "poison", "b");
    follower.poke();
    await eventually(() => follower.names().length === 3);
    expect(follower.names()).toEqual(["a", "poison", "b"]);
    expect(follower.errors.map(String)).toEqual([
      expect.stringMatching(/^Error: poison skipped event evt_/),
    ]);
    await write(database.db, "c");
    follower.poke();
    await eventually(() => follower.names().length === 4);
  });

  it("for want of a database is not skipped", async () => {
    let away = true;
    const follower = await followFromNow("away", async (_trx, events) => {
      if (away && events.some((each) => nameOf(each) === "away")) {
        throw new Error("Connection terminated unexpectedly");
      }
    });
    await write(database.db, "away");
    follower.poke();
    await eventually(() => follower.errors.length > 0);
    expect(follower.names()).toEqual([]);
    away = false;
    follower.poke();
    await eventually(() => follower.names().length === 1);
  });

  it("for want of time is tried five times before it is skipped", async () => {
    let tries = 0;
    const follower = await followFromNow("slow", async (_trx, events) => {
      if (events.some((each) => nameOf(each) === "late")) {
        tries++;
        throw Object.assign(new Error("statement timeout"), { code: "57014" });
      }
    });
    await write(database.db, "late", "b");
    follower.poke();
    await eventually(() => {
      follower.poke();
      return follower.names().length === 2;
    });
    expect(tries).toBe(1 + 5);
  });
});
