import { InvalidRequest } from "../errors.ts";

/** What a tenant's token may do. A client has all unless made with fewer. */
export const TENANT_SCOPES = [
  "messages:send",
  "messages:read",
  "media:read",
  "media:write",
  "templates:read",
  "templates:write",
  "numbers:read",
  "numbers:write",
  "webhooks:read",
  "webhooks:write",
  "events:read",
  "contacts:write",
  "usage:read",
  "tokens:write",
] as const;

/** What tokens of another issuer may have at most: they make no tokens of ours. */
export const ISSUER_SCOPES = TENANT_SCOPES.filter((scope) => scope !== "tokens:write");

export const PARTNER_SCOPES = ["partner:read", "partner:write"] as const;

/** @throws {InvalidRequest} naming each scope that does not exist for this kind of client */
export function checkScopes(scopes: readonly string[], known: readonly string[]): string[] {
  const errors = scopes.flatMap((scope, index) =>
    known.includes(scope)
      ? []
      : [
          {
            code: "unknown_scope",
            pointer: `/scopes/${index}`,
            detail: `${JSON.stringify(scope)} is not one of ${known.join(", ")}.`,
          },
        ],
  );
  if (errors.length > 0) {
    throw new InvalidRequest(errors);
  }
  return [...new Set(scopes)];
}
