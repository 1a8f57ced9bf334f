import { errors, type JWTPayload } from "jose";
import { ApiError } from "../errors.ts";

/** What a verified token says; whether its client and tenant still stand is another question. */
export type TokenClaims = {
  iss: string;
  jti: string | undefined;
  /** Of another issuer: then `clientId` is the id of its registration. */
  foreign: boolean;
  clientId: string;
  tenantId: string | undefined;
  scopes: ReadonlySet<string>;
  phoneNumberIds: readonly string[] | null;
  expiresAtMs: number;
};

/**
 * A token's limit to some numbers; without the claim there is none. A limit that cannot be read
 * must not become none.
 */
export function phoneNumberIdsOf(payload: JWTPayload): readonly string[] | null {
  if (!Object.hasOwn(payload, "phone_number_ids")) {
    return null;
  }
  const ids = payload["phone_number_ids"];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string")) {
    throw unexpectedClaim(payload, "phone_number_ids");
  }
  return ids;
}

/** jose judges `exp` and `nbf`; `iat` it leaves alone. */
export function refuseIssuedInFuture(
  payload: JWTPayload,
  { nowMs, leewaySeconds }: { nowMs: number; leewaySeconds: number },
): void {
  if (payload.iat !== undefined && payload.iat > nowMs / 1000 + leewaySeconds) {
    throw unexpectedClaim(payload, "iat");
  }
}

export function unexpectedClaim(
  payload: JWTPayload,
  claim: string,
): errors.JWTClaimValidationFailed {
  return new errors.JWTClaimValidationFailed(`unexpected "${claim}"`, payload, claim);
}

/** RFC 6750, section 3.1: a token was given, and it is no good. */
export function tokenInvalid(detail: string): ApiError {
  return new ApiError("token_invalid", detail, {
    headers: { "www-authenticate": `Bearer error="invalid_token", error_description="${detail}"` },
  });
}

/** What jose found, told to the caller; `undefined` when it was not the token. */
export function explainInvalid(error: unknown): ApiError | undefined {
  if (error instanceof errors.JWTExpired) {
    return tokenInvalid("The token has expired; get a new one.");
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return tokenInvalid(`The token's ${error.claim} is not what this gateway takes.`);
  }
  return error instanceof errors.JOSEError
    ? tokenInvalid("The token is not signed by a key of its issuer.")
    : undefined;
}
