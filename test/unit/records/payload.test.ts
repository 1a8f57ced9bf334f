import { describe, expect, it } from "vitest";
import { objectsIn, textOf, timeOf } from "../../../src/records/payload.ts";

const receivedAt = new Date("2026-01-31T12:00:00.000Z");

describe("timeOf", () => {
  it.each<[string, unknown, string]>([
    ["seconds as text", "1750000000", "2025-06-15T15:06:40.000Z"],
    ["seconds as a number", 1_750_000_000, "2025-06-15T15:06:40.000Z"],
    ["a time that has yet to come", "9999999999", receivedAt.toISOString()],
    ["milliseconds", "1750000000000", receivedAt.toISOString()],
    ["words", "yesterday", receivedAt.toISOString()],
    ["nothing", undefined, receivedAt.toISOString()],
    ["zero", 0, receivedAt.toISOString()],
    ["a negative number", -5, receivedAt.toISOString()],
    ["an object", {}, receivedAt.toISOString()],
  ])("reads %s", (_what, timestamp, time) => {
    expect(timeOf(timestamp, receivedAt).toISOString()).toBe(time);
  });
});

describe("objectsIn", () => {
  it.each([[undefined], [null], ["text"], [[1]], [{ list: "text" }], [{ list: null }]])(
    "finds nothing in %j",
    (value) => {
      expect(objectsIn(value, "list")).toEqual([]);
    },
  );

  it("makes an empty object of what is none", () => {
    expect(objectsIn({ list: [1, null, [2], { a: 1 }] }, "list")).toEqual([{}, {}, {}, { a: 1 }]);
  });
});

describe("textOf", () => {
  it("takes no text that PostgreSQL cannot hold", () => {
    expect([textOf("a"), textOf(""), textOf("a\0b"), textOf(1)]).toEqual([
      "a",
      undefined,
      undefined,
      undefined,
    ]);
  });
});
