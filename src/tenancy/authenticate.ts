import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../errors.ts";
import type { Caller } from "../http/caller.ts";
import type { Directory } from "./directory.ts";
import { type Tokens, tokenInvalid } from "./tokens.ts";

export type Authenticate = (token: string | undefined) => Promise<Caller>;

/**
 * From a token to who calls: the signature, then whether its client and its tenant still stand.
 * The answer's promise throws `token_missing`, `token_invalid` or `tenant_suspended`.
 */
export function createAuthenticate(options: {
  tokens: Tokens;
  directory: Directory;
}): Authenticate {
  const { tokens, directory } = options;
  return async (token) => {
    if (token === undefined) {
      throw new ApiError("token_missing", "Send a token: Authorization: Bearer <token>.", {
        headers: { "www-authenticate": "Bearer" },
      });
    }
    const claims = await tokens.verify(token);
    const { clientId, tenantId, scopes, phoneNumberIds } = claims;
    const client = await directory.findClient(clientId);
    if (client === undefined || client.tenant_id !== (tenantId ?? null)) {
      throw tokenInvalid("The token's client has been revoked.");
    }
    if (tenantId === undefined) {
      return { kind: "partner", clientId, scopes };
    }
    const tenant = await directory.findTenant(tenantId);
    if (tenant === undefined) {
      throw tokenInvalid("The token's tenant no longer exists.");
    }
    if (tenant.state === "suspended") {
      throw new ApiError("tenant_suspended", "The partner has suspended this tenant.");
    }
    return { kind: "tenant", clientId, tenantId, scopes, phoneNumberIds };
  };
}

/** RFC 6750, section 2.1. A header of another scheme is no token. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(headers.authorization ?? "")?.[1];
}

/** @throws {ApiError} `insufficient_scope`, by RFC 6750 section 3.1 with the scope wanted */
export function demandScope(caller: Caller, scope: string): void {
  if (!caller.scopes.has(scope)) {
    throw new ApiError("insufficient_scope", `The token lacks the scope ${scope}.`, {
      headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
    });
  }
}

/** @throws {ApiError} `wrong_audience`: a partner's token on a tenant's route, or the reverse */
export function demandKind<Kind extends Caller["kind"]>(
  caller: Caller,
  kind: Kind,
): Extract<Caller, { kind: Kind }> {
  if (caller.kind !== kind) {
    throw new ApiError("wrong_audience", `This is for a ${kind}'s token, not a ${caller.kind}'s.`);
  }
  return caller as Extract<Caller, { kind: Kind }>;
}
