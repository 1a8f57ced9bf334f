import type { JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import { foreignClaims } from "../../../src/tenancy/foreign-tokens.ts";
import { refuseIssuedInFuture } from "../../../src/tenancy/token-claims.ts";

const ISSUER = {
  id: "iss_1",
  iss: "https://idp.example.com",
  scopes: ["messages:send", "numbers:read"],
  tenant_id: "ten_own",
  tenant_claim: null,
  tenant_ids: null,
};
const SHARED = {
  ...ISSUER,
  tenant_id: null,
  tenant_claim: "tenant",
  tenant_ids: ["ten_a", "ten_b"],
};

const claimsOf = (payload: JWTPayload) => foreignClaims({ exp: 1000, ...payload }, ISSUER);

describe("the claims of a foreign token", () => {
  it("are its registration's: client, issuer, tenant", () => {
    const payload = { client_id: "cli_1", tenant_id: "ten_other", iss: "x", jti: "7" };
    expect(claimsOf(payload)).toEqual({
      iss: ISSUER.iss,
      jti: "7",
      foreign: true,
      clientId: "iss_1",
      tenantId: "ten_own",
      scopes: new Set(),
      phoneNumberIds: null,
      expiresAtMs: 1_060_000,
    });
  });

  it.each<[string, JWTPayload, string[]]>([
    ["scope", { scope: "messages:send events:read" }, ["messages:send"]],
    ["scp as text", { scp: "numbers:read" }, ["numbers:read"]],
    [
      "scp as a list",
      { scp: ["numbers:read", "messages:send"] },
      ["messages:send", "numbers:read"],
    ],
    ["scope before scp", { scope: "", scp: "numbers:read" }, []],
    ["nothing", {}, []],
    ["null", { scope: null, scp: null }, []],
    ["a number", { scope: 7 }, []],
    ["an object", { scope: { "messages:send": true } }, []],
    ["a list in a list", { scp: [["messages:send"]] }, []],
    ["a part of a scope", { scope: "messages numbers:" }, []],
    ["other letters", { scope: "Messages:Send" }, []],
  ])("have of the registered scopes what %s says", (_name, payload, scopes) => {
    expect([...claimsOf(payload).scopes]).toEqual(scopes);
  });

  it("never have a scope that no foreign token may have, whatever is registered", () => {
    const scopes = ["tokens:write", "partner:write", "usage:read"];
    const issuer = { ...ISSUER, scopes };
    const { scopes: granted } = foreignClaims({ exp: 1, scope: scopes.join(" ") }, issuer);
    expect([...granted]).toEqual(["usage:read"]);
  });

  it.each<[string, unknown]>([
    ["missing", undefined],
    ["not listed", "ten_c"],
    ["a list", ["ten_a"]],
    ["empty", ""],
    ["null", null],
    ["an object", { id: "ten_a" }],
  ])("are refused where the claim must name a tenant and is %s", (_name, tenant) => {
    const payload = { exp: 1, ...(tenant !== undefined && { tenant }) };
    expect(() => foreignClaims(payload, SHARED)).toThrow(
      expect.objectContaining({ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "tenant" }),
    );
  });

  it("name one of several tenants where the registration lets them", () => {
    expect(foreignClaims({ exp: 1, tenant: "ten_b" }, SHARED).tenantId).toBe("ten_b");
  });

  it("name nobody by what every object has", () => {
    const issuer = { ...SHARED, tenant_claim: "constructor" };
    expect(() => foreignClaims({ exp: 1 }, issuer)).toThrow();
  });

  it.each<[string, unknown, readonly string[] | null]>([
    ["absent", undefined, null],
    ["some", ["1", "2"], ["1", "2"]],
    ["none", [], []],
  ])("are limited to the numbers named, when these are %s", (_name, ids, limit) => {
    const payload = ids === undefined ? {} : { phone_number_ids: ids };
    expect(claimsOf(payload).phoneNumberIds).toEqual(limit);
  });

  it.each([null, "1", 1, {}, [1], ["1", null]])("are refused when their limit is %j", (ids) => {
    expect(() => claimsOf({ phone_number_ids: ids })).toThrow(
      expect.objectContaining({ claim: "phone_number_ids" }),
    );
  });
});

const checkIssued = (iat: number | undefined) => () =>
  refuseIssuedInFuture(iat === undefined ? {} : { iat }, { nowMs: 1_000_000, leewaySeconds: 60 });

describe("a token's time of issue", () => {
  it("may be missing, past, or ahead by the leeway, and no more", () => {
    for (const iat of [undefined, 0, 1000, 1060]) {
      expect(checkIssued(iat)).not.toThrow();
    }
    expect(checkIssued(1061)).toThrow(expect.objectContaining({ claim: "iat" }));
  });
});
