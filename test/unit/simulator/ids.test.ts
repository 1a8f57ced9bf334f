import { describe, expect, it } from "vitest";
import { digitsFrom, newApiKey, newWamid, randomDigits } from "../../../src/simulator/ids.ts";

describe("newWamid", () => {
  it("is built like a real one", () => {
    const real = "wamid.HBgMNDk0OTEyMzQ1Njc4FQIAERgSNERCRjFEOERFM0RDNDJBMDMyAA==";
    const ours = newWamid("494912345678", "outbound");
    expect(ours).toHaveLength(real.length);
    expect(ours.slice(0, 34)).toBe(real.slice(0, 34));
    expect(ours.slice(-4)).toBe(real.slice(-4));
  });

  it("is never the same twice", () => {
    const wamids = Array.from({ length: 1_000 }, () => newWamid("49170", "inbound"));
    expect(new Set(wamids).size).toBe(1_000);
  });
});

describe("other ids", () => {
  it("have the length and letters of real ones", () => {
    expect(randomDigits(15)).toMatch(/^[1-9]\d{14}$/);
    expect(newApiKey()).toMatch(/^[A-Za-z0-9]{24}_AK$/);
  });

  it("come out the same for the same seed", () => {
    expect(digitsFrom("a", 15)).toMatch(/^\d{15}$/);
    expect(digitsFrom("a", 15)).toBe(digitsFrom("a", 15));
    expect(digitsFrom("a", 15)).not.toBe(digitsFrom("b", 15));
  });
});
