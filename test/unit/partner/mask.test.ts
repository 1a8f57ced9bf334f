import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskForAudit } from "../../../src/partner/audit/mask.ts";

describe("what the audit keeps of a value", () => {
  it.each<[string, unknown, unknown]>([
    ["an id of ours", "num_01jd8qv4m0x5k7r2t9w3y6z1ab", "num_01jd8qv4m0x5k7r2t9w3y6z1ab"],
    ["a time", "2025-06-15T12:00:00.000Z", "2025-06-15T12:00:00.000Z"],
    ["a state", { state: "running" }, { state: "running" }],
    ["a small number", { throughput: 80 }, { throughput: 80 }],
    ["a number that may be a phone's", { x: 15550001111 }, { x: "[masked]" }],
    ["a name", { name: "Acme" }, { name: "[masked]" }],
    ["a secret", { secret: "whsec_x", api_key: "k" }, { secret: "[masked]", api_key: "[masked]" }],
    ["a user", { user: "15550001111" }, { user: "[masked]" }],
    [
      "of a URL where it leads",
      { url: "https://a.example/s3cret?t=1" },
      { url: "https://a.example" },
    ],
    ["a header", { headers: { "X-15550001111": "v" } }, { headers: { "[masked]": "[masked]" } }],
    [
      "members of a list by its name",
      { scopes: ["a:b"], notes: ["x"] },
      { scopes: ["a:b"], notes: ["[masked]"] },
    ],
    ["nothing", null, null],
  ])("is known: %s", (_name, value, kept) => {
    expect(maskForAudit(value)).toEqual(kept);
  });

  it("is never a text that nobody has listed, wherever it stands", () => {
    const secret = "Q7-planted-Q7";
    fc.assert(
      fc.property(fc.anything({ values: [fc.constant(secret)] }), fc.string(), (value, name) => {
        const kept = JSON.stringify(maskForAudit({ note: { [name]: value, given: secret } })) ?? "";
        const listed = /"(state|kind|effect|country|quality|region)":/.test(kept);
        expect(listed || !kept.includes(secret)).toBe(true);
      }),
    );
  });
});
