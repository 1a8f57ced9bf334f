import { describe, expect, it } from "vitest";
import { checkScopes, PARTNER_SCOPES, TENANT_SCOPES } from "../../../src/tenancy/scopes.ts";

describe("checkScopes", () => {
  it("takes what exists, each once", () => {
    const wish = ["messages:send", "events:read", "messages:send"];
    expect(checkScopes(wish, TENANT_SCOPES)).toEqual(["messages:send", "events:read"]);
    expect(checkScopes([], TENANT_SCOPES)).toEqual([]);
  });

  it("points at each scope that does not", () => {
    const wish = ["messages:send", "messages:SEND", "", "partner:read"];
    expect(() => checkScopes(wish, TENANT_SCOPES)).toThrow(
      expect.objectContaining({
        code: "invalid_request",
        errors: [1, 2, 3].map((index) =>
          expect.objectContaining({ code: "unknown_scope", pointer: `/scopes/${index}` }),
        ),
      }),
    );
  });

  it("has none that a tenant and the partner share", () => {
    const tenant = new Set<string>(TENANT_SCOPES);
    expect(PARTNER_SCOPES.filter((scope) => tenant.has(scope))).toEqual([]);
  });
});
