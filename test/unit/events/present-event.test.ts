import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fragmentOf, parseKeepingDigits, presentEvent } from "../../../src/events/present-event.ts";

const writtenAgain = (json: string) => JSON.stringify(parseKeepingDigits(json));

describe("parseKeepingDigits", () => {
  it.each([
    "0",
    "-0",
    "1.0",
    "0.10",
    "1e3",
    "1E+3",
    "-1e-7",
    "1e400",
    "-1e400",
    "12345678901234567890",
    "0.1000000000000000055511151231257827",
    '[1.0,{"a":2.50}]',
    '{"a":{"b":[1.0]}}',
    '"1.0"',
    "true",
    "null",
    "[]",
    "{}",
  ])("writes %s again as it stood", (json) => {
    expect(writtenAgain(json)).toBe(json);
  });

  it("writes every number again as it stood, wherever it stands", () => {
    const number = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,3})?([eE][+-]?\d{1,3})?$/);
    const placed = fc.tuple(
      number,
      fc.constantFrom("@", "[@]", "[1,@]", '{"a":@}', '{"a":"1, 2.50","b":[{},@]}'),
    );
    fc.assert(
      fc.property(placed, ([digits, place]) => {
        const json = place.replace("@", digits);
        expect(writtenAgain(json)).toBe(json);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives a number as a number where a double holds it", () => {
    expect(parseKeepingDigits('{"a":1.5,"b":-3,"c":9007199254740991}')).toEqual({
      a: 1.5,
      b: -3,
      c: 9_007_199_254_740_991,
    });
  });

  it.each([
    ["NUL", String.raw`"a\u0000b"`],
    ["a lone surrogate", String.raw`"\ud800"`],
    ["a pair of surrogates", '"👋"'],
    ["a member named __proto__", '{"__proto__":{"a":1.0}}'],
    ["a member named constructor", '{"constructor":1,"toString":2.0}'],
    ["an empty name", '{"":1.0}'],
  ])("keeps %s", (_name, json) => {
    expect(writtenAgain(json)).toBe(json);
  });

  it("takes the last of two equal names, as JSON does everywhere", () => {
    expect(writtenAgain('{"a":1.0,"b":0,"a":2.0}')).toBe('{"a":2.0,"b":0}');
    expect(writtenAgain('{"a":1.0,"a":[3.0]}')).toBe('{"a":[3.0]}');
    expect(writtenAgain('{"a":[3.0],"a":1.0}')).toBe('{"a":1.0}');
  });

  it("is JSON.parse for everything that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        expect(writtenAgain(json)).toBe(json);
      }),
    );
  });

  it.each(["", "{", "01", "1.", "NaN", "'a'", "{}{}", "\u{feff}{}"])("refuses %j", (text) => {
    expect(() => parseKeepingDigits(text)).toThrow(SyntaxError);
  });
});

const data = (body: string | Buffer) => JSON.stringify(fragmentOf(Buffer.from(body)));

describe("the data of an event", () => {
  it.each([
    [
      "the value of the envelope's change",
      '{"entry":[{"changes":[{"value":{"a":1.0}}]}]}',
      '{"a":1.0}',
    ],
    ["a value that is no object", '{"entry":[{"changes":[{"value":5}]}]}', "5"],
    ["a value that is empty", '{"entry":[{"changes":[{"value":""}]}]}', '""'],
    ["everything, where there is no envelope", '{"id":1.0}', '{"id":1.0}'],
    ["everything, where an entry is missing", '{"entry":[]}', '{"entry":[]}'],
    ["everything, where an entry is null", '{"entry":[null]}', '{"entry":[null]}'],
    ["everything, where changes are missing", '{"entry":[{}]}', '{"entry":[{}]}'],
    [
      "everything, where a change is null",
      '{"entry":[{"changes":[null]}]}',
      '{"entry":[{"changes":[null]}]}',
    ],
    [
      "everything, where a value is missing",
      '{"entry":[{"changes":[{}]}]}',
      '{"entry":[{"changes":[{}]}]}',
    ],
    ["everything that is not an object", "[1.0]", "[1.0]"],
    ["a number by itself", "1.0", "1.0"],
    ["null", "null", "null"],
    ["base64 of what is no JSON", "<html>", '{"body_base64":"PGh0bWw+"}'],
    ["base64 of nothing", "", '{"body_base64":""}'],
  ])("is %s", (_name, body, expected) => {
    expect(data(body)).toBe(expected);
  });

  it("is there for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(data(Buffer.from(bytes))).toEqual(expect.any(String));
      }),
    );
  });
});

describe("presentEvent", () => {
  it("shows what a tenant may know and nothing else of the row", () => {
    const row = {
      id: "evt_a",
      type: "message.received",
      received_at: new Date("2025-06-15T12:00:00Z"),
      phone_number_id: "1",
      waba_id: null,
      body: Buffer.from("{}"),
      tenant_id: "ten_a",
      identity: Buffer.alloc(32),
    };
    expect(presentEvent(row)).toEqual({
      id: "evt_a",
      type: "message.received",
      timestamp: "2025-06-15T12:00:00.000Z",
      phone_number_id: "1",
      waba_id: null,
      data: {},
    });
  });
});
