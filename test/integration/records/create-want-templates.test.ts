import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWantTemplates } from "../../../src/records/create-want-templates.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant } from "../rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe("wanting templates beside a send", () => {
  it("asks for each WABA once, however many sends want it", async () => {
    const { id } = await buildTenant(database.db);
    let pokes = 0;
    const errors: unknown[] = [];
    const want = createWantTemplates({
      db: database.db,
      poke: () => void pokes++,
      onError: (error) => errors.push(error),
    });
    for (let sends = 0; sends < 100; sends++) {
      want(id, "1");
      want(id, "2");
    }
    await eventually(() => pokes === 2);
    const rows = await database.db.selectFrom("template_sync").select("waba_id").execute();
    expect(rows.map(({ waba_id }) => waba_id).toSorted()).toEqual(["1", "2"]);
    expect(errors).toEqual([]);
  });

  it("tells of trouble, and lets the send be", async () => {
    const errors: unknown[] = [];
    const want = createWantTemplates({
      db: database.db,
      poke: () => {},
      onError: (error) => errors.push(error),
    });
    want("ten_none", "1");
    await eventually(() => errors.length === 1);
  });
});
