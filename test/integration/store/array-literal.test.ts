import * as fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { numberArray, textArray } from "../../../src/store/array-literal.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe("an array as PostgreSQL reads it", () => {
  it("is the same texts again, whatever is in them", async () => {
    const special = fc.constantFrom(
      "",
      "NULL",
      "null",
      "a,b",
      "{}",
      '"',
      "\\",
      '\\"',
      " ",
      "a\nb",
      "é😀",
    );
    const text = fc.oneof(
      special,
      fc.string().map((value) => value.replaceAll("\0", "").toWellFormed()),
      fc.constant(null),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text), async (values) => {
        const { rows } = await sql<{ values: (string | null)[] }>`
          select ${textArray(values)}::text[] as values`.execute(database.db);
        expect(rows[0]?.values).toEqual(values);
      }),
      { numRuns: 200 },
    );
  });

  it("is the same numbers again", async () => {
    const values = [0, -1, 2_147_483_647];
    const { rows } = await sql<{ values: number[] }>`
      select ${numberArray(values)}::int[] as values`.execute(database.db);
    expect(rows[0]?.values).toEqual(values);
  });
});
