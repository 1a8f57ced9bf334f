import { describe, expect, it } from "vitest";
import { CURSOR_COUNTER, CURSOR_ID, parsePage, presentPage } from "../../../src/http/paging.ts";

const FORMS = [CURSOR_COUNTER, CURSOR_ID];
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a page", () => {
  it("has fifty rows when nothing else is asked for", () => {
    expect(parsePage({}, FORMS)).toEqual({ limit: 50, after: undefined });
  });

  it("has as many as are asked for", () => {
    expect(parsePage({ limit: 7 }, FORMS)).toEqual({ limit: 7, after: undefined });
  });

  it("goes on where the one before ended", () => {
    const page = { limit: 2, after: undefined };
    const rows = [1, 2, 3].map((n) => ({ n }));
    const shown = presentPage(
      rows,
      page,
      ({ n }) => [String(n), `id_${n}`],
      ({ n }) => n,
    );
    expect(shown.data).toEqual([1, 2]);
    expect(parsePage({ cursor: shown.next_cursor }, FORMS).after).toEqual(["2", "id_2"]);
  });

  it.each([
    ["as many rows as asked for", [1, 2]],
    ["fewer", [1]],
    ["none", []],
  ])("is the last one when there are %s", (_name, rows) => {
    const page = { limit: 2, after: undefined };
    const shown = presentPage(
      rows,
      page,
      () => ["1", "a"],
      (row) => row,
    );
    expect(shown).toEqual({ data: rows, next_cursor: null });
  });
});

describe("a cursor that no list gave", () => {
  it.each([
    ["no text", ""],
    ["a word", "next"],
    ["no base64", "!!!"],
    ["JSON that is not encoded", '["1","a"]'],
    ["no list", cursorOf({ 0: "1", 1: "a" })],
    ["null", cursorOf(null)],
    ["a text", cursorOf("1")],
    ["too few parts", cursorOf(["1"])],
    ["too many parts", cursorOf(["1", "a", "b"])],
    ["a number in place of text", cursorOf([1, "a"])],
    ["a nested list", cursorOf([["1"], "a"])],
    ["a counter that is none", cursorOf(["x", "a"])],
    ["a counter that is too long", cursorOf(["1".repeat(19), "a"])],
    ["a negative counter", cursorOf(["-1", "a"])],
    ["a counter with a line break", cursorOf(["1\n", "a"])],
    ["an id that is SQL", cursorOf(["1", "' or 1=1 --"])],
    ["an id with NUL", cursorOf(["1", "a\0"])],
    ["an empty id", cursorOf(["1", ""])],
    ["an id that is too long", cursorOf(["1", "a".repeat(101)])],
  ])("is refused: %s", (_name, cursor) => {
    expect(() => parsePage({ cursor }, FORMS)).toThrow(
      expect.objectContaining({
        code: "invalid_parameter",
        status: 400,
        errors: [expect.objectContaining({ code: "invalid_cursor", pointer: "/cursor" })],
      }),
    );
  });
});
