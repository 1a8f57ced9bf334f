import { describe, expect, it } from "vitest";
import { parseIdempotencyKey } from "../../../../src/gateway/idempotency/parse-idempotency-key.ts";

const LONGEST = "k".repeat(255);

describe("an Idempotency-Key", () => {
  it.each<[string, string | string[] | undefined, string | undefined]>([
    ["none", undefined, undefined],
    ["bare", "8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ["quoted, the same key", '"8e03978e"', "8e03978e"],
    [
      "any visible character",
      "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\\",
      "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\\",
    ],
    ["a bare one with a quote in it", 'a"b', 'a"b'],
    ["a quoted one with a space", '"order 17"', "order 17"],
    ["escapes in quotes", '"a\\"b\\\\c"', 'a"b\\c'],
    ["the longest", LONGEST, LONGEST],
    ["the longest in quotes", `"${LONGEST}"`, LONGEST],
    ["the only one of a list", ["a"], "a"],
  ])("is read: %s", (_name, header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  it.each<[string, string | string[]]>([
    ["empty", ""],
    ["empty in quotes", '""'],
    ["an empty list", []],
    ["too long", `${LONGEST}k`],
    ["too long in quotes", `"${LONGEST}k"`],
    ["with a space", "order 17"],
    ["with a control character", "a\u0001b"],
    ["with a tab in quotes", '"a\tb"'],
    ["beyond ASCII", "schlüssel"],
    ["beyond ASCII in quotes", '"schlüssel"'],
    ["twice, as Node joins it", "a, b"],
    ["twice in quotes, as Node joins it", '"a", "b"'],
    ["twice, as a list", ["a", "b"]],
    ["twice the same", ["a", "a"]],
    ["a quote that does not end", '"a'],
    ["a quote alone", '"'],
    ["an escape of something else", '"a\\n"'],
    ["an escape of the last quote", '"a\\"'],
    ["with parameters", '"a";p=1'],
  ])("is refused: %s", (_name, header) => {
    expect(() => parseIdempotencyKey(header)).toThrow(
      expect.objectContaining({ code: "invalid_parameter", status: 400 }),
    );
  });
});
