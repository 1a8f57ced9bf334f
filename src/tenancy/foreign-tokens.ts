import { type JWTPayload, jwtVerify } from "jose";
import { ApiError } from "../errors.ts";
import { type KeysOf, KeysUnavailable } from "./issuer-keys.ts";
import type { FindIssuers, IssuerRow } from "./issuers.ts";
import { ISSUER_SCOPES } from "./scopes.ts";
import {
  explainInvalid,
  phoneNumberIdsOf,
  refuseIssuedInFuture,
  tokenInvalid,
  type TokenClaims,
  unexpectedClaim,
} from "./token-claims.ts";

const LEEWAY_SECONDS = 60;
// RFC 8725, section 3.11: what is typed as something else (a logout token, a proof) is something else.
const TYPES = /^(application\/)?(at\+)?jwt$/i;

/**
 * `said` is what the token says of itself, unverified.
 * @throws {ApiError} `token_invalid`; `overloaded` when the issuer's keys cannot be had
 */
export type CheckForeign = (
  token: string,
  said: { iss: string; aud: readonly string[] },
) => Promise<TokenClaims>;

/**
 * Checks tokens of the issuers that the partner has registered. What counts is the registration:
 * its keys, its algorithms, its scopes, its tenant.
 */
export function createCheckForeign(options: {
  findIssuers: FindIssuers;
  keysOf: KeysOf;
}): CheckForeign {
  const { findIssuers, keysOf } = options;

  async function verified(token: string, issuer: IssuerRow): Promise<JWTPayload> {
    const { payload, protectedHeader } = await jwtVerify(token, keysOf(issuer.jwks_url), {
      issuer: issuer.iss,
      audience: issuer.audience,
      algorithms: issuer.algorithms,
      requiredClaims: ["exp", "aud"],
      clockTolerance: LEEWAY_SECONDS,
    });
    if (!TYPES.test(protectedHeader.typ ?? "JWT")) {
      throw unexpectedClaim(payload, "typ");
    }
    refuseIssuedInFuture(payload, { nowMs: Date.now(), leewaySeconds: LEEWAY_SECONDS });
    return payload;
  }

  return async (token, { iss, aud }) => {
    const registered = await findIssuers(iss);
    const [issuer, ...others] = registered.filter(({ audience }) => aud.includes(audience));
    if (issuer === undefined) {
      throw tokenInvalid("The token's issuer is not registered here for its audience.");
    }
    if (others.length > 0) {
      throw tokenInvalid("The token's audiences belong to several registrations of its issuer.");
    }
    try {
      return foreignClaims(await verified(token, issuer), issuer);
    } catch (error) {
      if (error instanceof KeysUnavailable) {
        throw keysUnavailable(error);
      }
      // A key that cannot be used (too short, malformed) is no JOSEError, and signs nothing either.
      throw explainInvalid(error) ?? tokenInvalid("The token's key cannot be used.");
    }
  };
}

function keysUnavailable({ message }: KeysUnavailable): ApiError {
  const detail = `The keys of the token's issuer cannot be fetched right now: ${message}`;
  return new ApiError("overloaded", detail, { headers: { "retry-after": "5" } });
}

/** What a token of this issuer means here, whatever it claims beyond. */
export function foreignClaims(
  payload: JWTPayload,
  issuer: Pick<IssuerRow, "id" | "iss" | "scopes" | "tenant_id" | "tenant_claim" | "tenant_ids">,
): TokenClaims {
  const granted = issuer.scopes.filter((scope) => ISSUER_SCOPES.some((known) => known === scope));
  const claimed = scopesOf(payload);
  return {
    iss: issuer.iss,
    jti: payload.jti,
    foreign: true,
    clientId: issuer.id,
    tenantId: issuer.tenant_id ?? claimedTenant(payload, issuer),
    scopes: new Set(granted.filter((scope) => claimed.includes(scope))),
    phoneNumberIds: phoneNumberIdsOf(payload),
    expiresAtMs: ((payload.exp ?? 0) + LEEWAY_SECONDS) * 1000,
  };
}

/** RFC 9068's `scope`; some identity providers write `scp`, as text or as a list. */
function scopesOf(payload: JWTPayload): unknown[] {
  const scopes = payload["scope"] ?? payload["scp"];
  return typeof scopes === "string" ? scopes.split(" ") : [scopes].flat();
}

function claimedTenant(
  payload: JWTPayload,
  { tenant_claim, tenant_ids }: Pick<IssuerRow, "tenant_claim" | "tenant_ids">,
): string {
  const claim = tenant_claim ?? "";
  const tenantId = Object.hasOwn(payload, claim) ? payload[claim] : undefined;
  if (typeof tenantId !== "string" || !tenant_ids?.includes(tenantId)) {
    throw unexpectedClaim(payload, claim);
  }
  return tenantId;
}
