import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId, newSecretText } from "../../src/ids.ts";

describe("newId", () => {
  it("has the prefix and 26 characters of Crockford's alphabet", () => {
    expect(newId("evt")).toMatch(/^evt_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it("sorts by the time it was made, as text", () => {
    const timeMs = fc.nat({ max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(timeMs, timeMs, (left, right) => {
        fc.pre(left < right);
        expect(newId("evt", left) < newId("evt", right)).toBe(true);
      }),
    );
  });

  it("begins with the time and nothing else that is alike", () => {
    const [one, other] = [newId("msg", 1_750_000_000_000), newId("msg", 1_750_000_000_000)];
    expect(one.slice(0, 14)).toBe(other.slice(0, 14));
    expect(one.slice(14)).not.toBe(other.slice(14));
  });

  it("is another one each time", () => {
    const ids = Array.from({ length: 10_000 }, () => newId("att", 0));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("newSecretText", () => {
  it("is 256 random bits that need no encoding anywhere", () => {
    const texts = Array.from({ length: 1000 }, newSecretText);
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) {
      expect(text).toMatch(/^[\w-]{43}$/);
      expect(Buffer.from(text, "base64url")).toHaveLength(32);
    }
  });
});
