import { hash, randomUUID } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { ApiError } from "../errors.ts";
import type { ClientRow } from "./clients.ts";
import { SIGNING_ALGORITHM, type SigningKeys } from "./signing-keys.ts";

/** What a verified token says; whether its client and tenant still stand is another question. */
export type TokenClaims = {
  clientId: string;
  tenantId: string | undefined;
  scopes: ReadonlySet<string>;
  phoneNumberIds: readonly string[] | null;
  expiresAtMs: number;
};

export type Tokens = {
  /** An access token by RFC 9068. */
  issue(
    client: ClientRow,
    scopes: readonly string[],
  ): Promise<{ token: string; expiresIn: number }>;
  /** @throws {ApiError} `token_invalid` */
  verify(token: string): Promise<TokenClaims>;
};

const LEEWAY_SECONDS = 5;
const REMEMBERED_MAX = 20_000;

/** `url` is our PUBLIC_URL: issuer and audience of the tokens that we sign. */
export function createTokens(options: {
  signingKeys: SigningKeys;
  url: string;
  lifetimeMs: number;
}): Tokens {
  const { signingKeys, url } = options;
  const expiresIn = Math.floor(options.lifetimeMs / 1000);
  // By the token's digest, so that no token is kept; checking a signature costs 100 µs, this 2.
  const remembered = new Map<string, TokenClaims>();

  async function check(token: string): Promise<TokenClaims> {
    const { payload } = await jwtVerify(token, signingKeys.keySet(), {
      issuer: url,
      audience: url,
      typ: "at+jwt",
      algorithms: [SIGNING_ALGORITHM],
      requiredClaims: ["exp", "client_id", "scope"],
      clockTolerance: LEEWAY_SECONDS,
    });
    const numbers = payload["phone_number_ids"];
    return {
      clientId: String(payload["client_id"]),
      tenantId: typeof payload["tenant_id"] === "string" ? payload["tenant_id"] : undefined,
      scopes: new Set(String(payload["scope"]).split(" ")),
      phoneNumberIds: Array.isArray(numbers) ? numbers.map(String) : null,
      expiresAtMs: ((payload.exp ?? 0) + LEEWAY_SECONDS) * 1000,
    };
  }

  return {
    async issue(client, scopes) {
      const { id: kid, privateKey } = signingKeys.current();
      const token = await new SignJWT({
        client_id: client.id,
        scope: scopes.join(" "),
        ...(client.tenant_id !== null && { tenant_id: client.tenant_id }),
        ...(client.phone_number_ids !== null && { phone_number_ids: client.phone_number_ids }),
      })
        .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: "at+jwt", kid })
        .setIssuer(url)
        .setAudience(url)
        .setSubject(client.id)
        .setIssuedAt()
        .setExpirationTime(`${expiresIn}s`)
        .setJti(randomUUID())
        .sign(privateKey);
      return { token, expiresIn };
    },

    async verify(token) {
      const digest = hash("sha256", token, "base64");
      const known = remembered.get(digest);
      if (known !== undefined && known.expiresAtMs > Date.now()) {
        return known;
      }
      remembered.delete(digest);
      const claims = await check(token).catch((error: unknown) => {
        throw invalidToken(error);
      });
      if (remembered.size >= REMEMBERED_MAX) {
        remembered.clear();
      }
      remembered.set(digest, claims);
      return claims;
    },
  };
}

function invalidToken(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) {
    return tokenInvalid("The token has expired; get a new one from /oauth2/token.");
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return tokenInvalid(`The token's ${error.claim} is not what this gateway takes.`);
  }
  return error instanceof errors.JOSEError
    ? tokenInvalid("The token is not one that this gateway signed.")
    : error;
}

/** RFC 6750, section 3.1: a token was given, and it is no good. */
export function tokenInvalid(detail: string): ApiError {
  return new ApiError("token_invalid", detail, {
    headers: { "www-authenticate": `Bearer error="invalid_token", error_description="${detail}"` },
  });
}
