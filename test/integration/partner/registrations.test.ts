import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RegistrationLimit } from "../../../src/partner/registrations/registration-limit.ts";
import {
  pruneRegistrations,
  readStandings,
} from "../../../src/partner/registrations/read-registrations.ts";
import {
  blockRegistrations,
  takeRegistrationSlot,
} from "../../../src/partner/registrations/take-slot.ts";
import { Secret } from "../../../src/secret.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildNumber, buildTenant } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const HOURS_72_MS = 72 * 3_600_000;
const slot = { kind: "display_name", note: null } as const;

/** The moment at which the next is free, or `undefined` where the slot was given. */
async function take(phoneNumberId: string, now?: Date): Promise<Date | undefined> {
  try {
    await takeRegistrationSlot(database.db, phoneNumberId, { ...slot, ...(now && { now }) });
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(RegistrationLimit);
    return new Date((error as RegistrationLimit).members["next_free_at"] as string);
  }
}

/** All there is to know of one number, as one would do it by hand. */
class NaiveModel {
  readonly #takenMs: number[] = [];
  #learntMs = -Infinity;

  isFree(nowMs: number): boolean {
    const counting = this.#takenMs.filter((at) => nowMs - at < HOURS_72_MS);
    return counting.length < 10 && nowMs - this.#learntMs >= HOURS_72_MS;
  }

  take(nowMs: number): number | undefined {
    if (this.isFree(nowMs)) {
      this.#takenMs.push(nowMs);
      return undefined;
    }
    // Freedom begins only where something ends.
    const ends = [...this.#takenMs, this.#learntMs].map((at) => at + HOURS_72_MS);
    return Math.min(...ends.filter((at) => at > nowMs && this.isFree(at)));
  }

  block(nowMs: number): void {
    this.#learntMs = nowMs;
  }
}

const steps = fc.array(
  fc.record({
    // Many of them together, and many exactly on the edges or a millisecond beside them.
    afterMs: fc.oneof(
      fc.constantFrom(0, 1, HOURS_72_MS - 1, HOURS_72_MS, HOURS_72_MS + 1),
      fc.integer({ min: 0, max: HOURS_72_MS / 5 }),
    ),
    toNextFree: fc.constantFrom(undefined, undefined, -1, 0),
    what: fc.constantFrom(..."take take take take take take take take block".split(" ")),
  }),
  { minLength: 12, maxLength: 40 },
);

let numbers = 0;

describe("a number's registrations", () => {
  it("are taken and refused as a naive count says, whatever comes when", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const phoneNumberId = `9${++numbers}`;
        const model = new NaiveModel();
        let nowMs = Date.parse("2025-06-15T12:00:00Z");
        let nextFreeMs: number | undefined;
        for (const { afterMs, toNextFree, what } of sequence) {
          const jumps = toNextFree !== undefined && nextFreeMs !== undefined;
          nowMs = Math.max(nowMs, jumps ? nextFreeMs! + toNextFree : nowMs + afterMs);
          if (what === "block") {
            model.block(nowMs);
            await blockRegistrations(database.db, phoneNumberId, { now: new Date(nowMs) });
          } else {
            nextFreeMs = model.take(nowMs);
            const answered = await take(phoneNumberId, new Date(nowMs));
            expect(answered?.getTime()).toBe(nextFreeMs);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("have one winner where several processes want the last slot at once", async () => {
    const others = Array.from({ length: 4 }, () =>
      openDatabase({ url: new Secret(database.url), onIdleError: () => {} }),
    );
    try {
      for (let round = 0; round < 10; round++) {
        const phoneNumberId = `8${round}`;
        for (let taken = 0; taken < 9; taken++) {
          expect(await take(phoneNumberId)).toBeUndefined();
        }
        const outcomes = await Promise.allSettled(
          others.map(({ db }) => takeRegistrationSlot(db, phoneNumberId, slot)),
        );
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === "rejected") {
            expect(outcome.reason).toBeInstanceOf(RegistrationLimit);
          }
        }
      }
    } finally {
      await Promise.all(others.map(({ close }) => close()));
    }
  });

  it("are told of several numbers at once, each its own", async () => {
    await take("71");
    await take("72");
    await take("72");
    await blockRegistrations(database.db, "73");
    const standingOf = await readStandings(database.db, ["71", "72", "73", "74"]);
    expect(["71", "72", "73", "74"].map((id) => standingOf(id).left)).toEqual([9, 8, 0, 10]);
  });

  it("are kept while the number is here, and while they count when it has gone", async () => {
    const tenant = await buildTenant(database.db);
    const number = await buildNumber(database.db, tenant.id);
    const longAgo = new Date(Date.now() - HOURS_72_MS - 1000);
    for (const id of [number.phone_number_id, "61"]) {
      await take(id, longAgo);
    }
    await take("62");
    await pruneRegistrations(database.db);
    const left = await database.db
      .selectFrom("registration")
      .select("phone_number_id")
      .where("phone_number_id", "in", [number.phone_number_id, "61", "62"])
      .execute();
    const ids = left.map((row) => row.phone_number_id);
    expect(new Set(ids)).toEqual(new Set([number.phone_number_id, "62"]));
  });
});
