import type { IncomingMessage } from "node:http";
import { ApiError } from "../errors.ts";
import type { Caller } from "../http/caller.ts";
import { type Soon, whenThere } from "../soon.ts";
import type { Directory } from "./directory.ts";
import { type TokenClaims, tokenInvalid } from "./token-claims.ts";
import type { VerifyToken } from "./verify-token.ts";

export type Authenticate = (token: string | undefined) => Soon<Caller>;

/**
 * From a token to who calls: the signature, then whether its client and its tenant still stand.
 * That its issuer's registration stands, the verified claims answer for.
 * It throws, or its promise does, `token_missing`, `token_invalid` or `tenant_suspended`.
 */
export function createAuthenticate(options: {
  verifyToken: VerifyToken;
  directory: Pick<Directory, "findClient" | "findTenant">;
}): Authenticate {
  const { verifyToken, directory } = options;

  function demandClient(claims: TokenClaims): Soon<TokenClaims> {
    if (claims.foreign) {
      return claims;
    }
    return whenThere(directory.findClient(claims.clientId), (client) => {
      if (client === undefined || client.tenant_id !== (claims.tenantId ?? null)) {
        throw tokenInvalid("The token's client has been revoked.");
      }
      return claims;
    });
  }

  function callerOf({ clientId, tenantId, scopes, phoneNumberIds }: TokenClaims): Soon<Caller> {
    if (tenantId === undefined) {
      return { kind: "partner", clientId, scopes };
    }
    return whenThere(directory.findTenant(tenantId), (tenant) => {
      if (tenant === undefined) {
        throw tokenInvalid("The token's tenant no longer exists.");
      }
      if (tenant.state === "suspended") {
        throw new ApiError("tenant_suspended", "The partner has suspended this tenant.");
      }
      return { kind: "tenant", clientId, tenantId, scopes, phoneNumberIds };
    });
  }

  return (token) => {
    if (token === undefined) {
      throw new ApiError("token_missing", "Send a token: Authorization: Bearer <token>.", {
        headers: { "www-authenticate": "Bearer" },
      });
    }
    return whenThere(whenThere(verifyToken(token), demandClient), callerOf);
  };
}

/**
 * RFC 6750, section 2.1. A header of another scheme is no token; whatever follows `Bearer` is one,
 * though perhaps not a valid one.
 * @throws {ApiError} `multiple_credentials`
 */
export function bearerToken(req: Pick<IncomingMessage, "rawHeaders">): string | undefined {
  const authorization = onlyValue(req, "authorization");
  if (authorization === undefined) {
    return undefined;
  }
  const scheme = /^Bearer +(?! |$)/i.exec(authorization)?.[0];
  return scheme && authorization.slice(scheme.length).trimEnd();
}

/**
 * The value of a header that holds a credential. Of two, Node keeps the first or joins them, and
 * whatever stands before us may have read the other. `name` is in lower case.
 * @throws {ApiError} `multiple_credentials`
 */
export function onlyValue(
  { rawHeaders }: Pick<IncomingMessage, "rawHeaders">,
  name: string,
): string | undefined {
  let only: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1];
    if (rawHeaders[index]?.length === name.length && rawHeaders[index]?.toLowerCase() === name) {
      if (only !== undefined && only !== value) {
        throw multipleCredentials();
      }
      only = value;
    }
  }
  return only;
}

export function multipleCredentials(): ApiError {
  return new ApiError("multiple_credentials", "The call holds different tokens; send one.");
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
