import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { furthestStatus } from "../../../src/records/furthest-status.ts";

const WORDS = [
  "sent",
  "failed",
  "delivered",
  "read",
  "played",
  "deleted",
  "warning",
  "pending",
  "",
];

describe("the status that is shown", () => {
  it.each([
    ["nothing before the first", [], null],
    ["the furthest, not the last", ["read", "delivered", "sent"], "read"],
    ["a failure after sent", ["failed", "sent"], "failed"],
    ["a delivery that a failure did not prevent", ["delivered", "failed"], "delivered"],
    ["deleted as the end", ["deleted", "played", "read"], "deleted"],
    ["any word that is known over one that is not", ["zzz", "sent"], "sent"],
    ["one of the unknown words, always the same", ["b", "c", "a"], "c"],
  ])("is %s", (_name, statuses, expected) => {
    expect(furthestStatus(statuses)).toBe(expected);
  });

  it("is the same for the same statuses, shuffled and repeated", () => {
    const shuffled = fc
      .array(fc.constantFrom(...WORDS))
      .chain((words) =>
        fc.tuple(
          fc.constant(words),
          fc.shuffledSubarray([...words, ...words], { minLength: words.length * 2 }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([words, again]) => {
        expect(furthestStatus(again)).toBe(furthestStatus(words));
      }),
    );
  });

  it("never goes back when one more comes", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { minLength: 1 }), (words) => {
        const shown = words.map((_, index) => furthestStatus(words.slice(0, index + 1)));
        for (const [index, status] of shown.entries()) {
          expect(furthestStatus([status ?? "", shown[index - 1] ?? status ?? ""])).toBe(status);
        }
      }),
    );
  });
});
