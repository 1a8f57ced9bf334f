import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { CannotOpen, createSealer, type SealContext } from "../../../src/tenancy/sealing.ts";

const keyOf = (byte: number) => new Secret(Buffer.alloc(32, byte).toString("base64"));
const old = { id: "old", key: keyOf(1) };
const fresh = { id: "new", key: keyOf(2) };
const context: SealContext = { purpose: "api_key", rowId: "num_a", tenantId: "ten_a" };

const sealer = createSealer([old]);
const sealed = sealer.seal(new Secret("an API key"), context);

describe("a sealed secret", () => {
  it("opens where it was sealed", () => {
    expect(sealer.open(sealed, context).reveal()).toBe("an API key");
  });

  it("opens again, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const box = sealer.seal(new Secret(text), context);
        expect(sealer.open(box, context).reveal()).toBe(text);
      }),
    );
  });

  it("is another one each time, and shows nothing of what is in it", () => {
    const again = sealer.seal(new Secret("an API key"), context);
    expect(again.equals(sealed)).toBe(false);
    expect(again.toString("latin1")).not.toContain("API key");
  });

  it.each<[string, Partial<SealContext>]>([
    ["row", { rowId: "num_b" }],
    ["tenant", { tenantId: "ten_b" }],
    ["purpose", { purpose: "signing_secret" }],
    ["row and tenant, if their texts are only moved", { rowId: "num_at", tenantId: "en_a" }],
  ])("does not open in another %s", (_name, other) => {
    expect(() => sealer.open(sealed, { ...context, ...other })).toThrow(CannotOpen);
  });

  it("does not open with another key of the same id", () => {
    const other = createSealer([{ id: "old", key: keyOf(9) }]);
    expect(() => other.open(sealed, context)).toThrow(CannotOpen);
  });

  it("does not open with its key gone, and says which one is missing", () => {
    expect(() => createSealer([fresh]).open(sealed, context)).toThrow(
      'sealed with master key "old", which is not configured',
    );
  });

  it("opens with an older key while the first one seals", () => {
    const both = createSealer([fresh, old]);
    expect(both.open(sealed, context).reveal()).toBe("an API key");
    const box = both.seal(new Secret("x"), context);
    expect(createSealer([fresh]).open(box, context).reveal()).toBe("x");
    expect(() => sealer.open(box, context)).toThrow(CannotOpen);
  });

  it("does not open when it is cut anywhere", () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(() => sealer.open(sealed.subarray(0, length), context)).toThrow(CannotOpen);
    }
  });

  it("does not open when a single bit of it is another", () => {
    for (let at = 0; at < sealed.length * 8; at++) {
      const changed = Buffer.from(sealed);
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
      expect(() => sealer.open(changed, context)).toThrow(CannotOpen);
    }
  });

  it("is not guessed from any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(() => sealer.open(Buffer.from(bytes), context)).toThrow(CannotOpen);
      }),
    );
  });

  it("is never in the error that says it does not open", () => {
    try {
      sealer.open(sealed, { ...context, rowId: "num_b" });
    } catch (error) {
      expect(String(error)).toContain("api_key");
      expect(String(error)).not.toContain("an API key");
    }
  });
});

describe("a sealer", () => {
  it("is not made without a key", () => {
    expect(() => createSealer([])).toThrow("no master key");
  });
});
