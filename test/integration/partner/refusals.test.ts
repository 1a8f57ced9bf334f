import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRefusals, type Refused } from "../../../src/partner/onboarding/refusals.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await database.db.deleteFrom("audit_entry").execute();
});
afterAll(() => database.drop());

const FORGED: Refused = { operation: "completeOnboarding", code: "link_invalid", link: undefined };
const USED: Refused = {
  operation: "completeOnboarding",
  code: "link_used",
  link: { id: "onb_00000000000000000000000001", tenant_id: "ten_00000000000000000000000001" },
};

function onError(error: unknown): never {
  throw error;
}

function refusals(periodMs?: number) {
  return createRefusals({ db: database.db, onError, ...(periodMs !== undefined && { periodMs }) });
}

const entries = async () =>
  database.db
    .selectFrom("audit_entry")
    .select(["operation", "phase", "target", "after"])
    .orderBy("seq")
    .execute();

/** How many entries there are of each kind, and with which count. */
async function counted(): Promise<Record<string, number>> {
  const names = (await entries()).map(({ after }) => {
    const { kind, count } = after as { kind: string; count?: number };
    return count === undefined ? kind : `${kind} × ${count}`;
  });
  const groups = Object.groupBy(names, (name) => name);
  return Object.fromEntries(Object.entries(groups).map(([name, of = []]) => [name, of.length]));
}

const many = (note: (refused: Refused) => Promise<void>, refused: Refused, times: number) =>
  Promise.all(Array.from({ length: times }, () => note(refused)));

describe("what is refused on its way to or from 360dialog's page", () => {
  it("is in the audit one by one up to twenty, and the others as one entry with their count", async () => {
    const { note, stop } = refusals();
    await many(note, FORGED, 500);
    expect(await counted()).toEqual({ link_invalid: 20 });
    await stop();
    expect(await counted()).toEqual({
      link_invalid: 20,
      "link_invalid × 480": 1,
    });
  });

  it("is not hidden by what is refused for another reason, or in another place", async () => {
    const { note, stop } = refusals();
    await many(note, FORGED, 50);
    await note(USED);
    await note({ ...FORGED, operation: "openOnboardingLink" });
    const [used, opened] = (await entries()).slice(-2);
    expect(used).toEqual({
      operation: "completeOnboarding",
      phase: "done",
      target: { link_id: USED.link?.id, tenant_id: USED.link?.tenant_id },
      after: { state: "refused", kind: "link_used" },
    });
    expect(opened).toMatchObject({ operation: "openOnboardingLink", target: {} });
    await stop();
    // Nothing more of those that were told already.
    expect(await entries()).toHaveLength(20 + 2 + 1);
  });

  it("is told one by one again in the next period", async () => {
    const { note, stop } = refusals(50);
    await many(note, FORGED, 25);
    await eventually(async () => (await counted())["link_invalid × 5"] === 1);
    await note(FORGED);
    expect(await counted()).toMatchObject({ link_invalid: 21 });
    await stop();
    expect(await entries()).toHaveLength(22);
  });
});
