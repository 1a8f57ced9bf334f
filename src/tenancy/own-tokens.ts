import { randomUUID } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import type { ClientRow } from "./clients.ts";
import { SIGNING_ALGORITHM, type SigningKeys } from "./signing-keys.ts";
import {
  explainInvalid,
  phoneNumberIdsOf,
  refuseIssuedInFuture,
  type TokenClaims,
} from "./token-claims.ts";

/** What a client is given a token for. */
export type Grant = {
  client: Pick<ClientRow, "id" | "tenant_id">;
  scopes: readonly string[];
  phoneNumberIds: readonly string[] | null;
  jti: string;
  expiresAt: Date;
};

/** Access tokens by RFC 9068 that this gateway signs and takes. */
export type OwnTokens = {
  sign: (grant: Grant) => Promise<{ token: string; signingKeyId: string }>;
  /** A token of the usual lifetime with the client's own numbers. */
  issue: (
    client: ClientRow,
    scopes: readonly string[],
  ) => Promise<{ token: string; expiresIn: number }>;
  /** @throws {ApiError} `token_invalid` */
  check: (token: string) => Promise<TokenClaims & { jti: string }>;
};

const LEEWAY_SECONDS = 5;

/** `url` is our PUBLIC_URL: issuer and audience of the tokens that we sign. */
export function createOwnTokens(options: {
  signingKeys: SigningKeys;
  url: string;
  lifetimeMs: number;
}): OwnTokens {
  const { signingKeys, url } = options;
  const expiresIn = Math.floor(options.lifetimeMs / 1000);

  async function sign(grant: Grant): Promise<{ token: string; signingKeyId: string }> {
    const { client, scopes, phoneNumberIds, jti, expiresAt } = grant;
    const { id: signingKeyId, privateKey } = signingKeys.current();
    const token = await new SignJWT({
      client_id: client.id,
      scope: scopes.join(" "),
      ...(client.tenant_id !== null && { tenant_id: client.tenant_id }),
      ...(phoneNumberIds !== null && { phone_number_ids: phoneNumberIds }),
    })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: "at+jwt", kid: signingKeyId })
      .setIssuer(url)
      .setAudience(url)
      .setSubject(client.id)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .setJti(jti)
      .sign(privateKey);
    return { token, signingKeyId };
  }

  return {
    sign,

    async issue(client, scopes) {
      const { token } = await sign({
        client,
        scopes,
        phoneNumberIds: client.phone_number_ids,
        jti: randomUUID(),
        expiresAt: new Date(Date.now() + expiresIn * 1000),
      });
      return { token, expiresIn };
    },

    async check(token) {
      try {
        const { payload } = await jwtVerify(token, signingKeys.keySet(), {
          issuer: url,
          audience: url,
          typ: "at+jwt",
          algorithms: [SIGNING_ALGORITHM],
          requiredClaims: ["exp", "iat", "jti", "client_id", "scope"],
          clockTolerance: LEEWAY_SECONDS,
        });
        refuseIssuedInFuture(payload, { nowMs: Date.now(), leewaySeconds: LEEWAY_SECONDS });
        return {
          iss: url,
          jti: String(payload.jti),
          foreign: false,
          clientId: String(payload["client_id"]),
          tenantId: typeof payload["tenant_id"] === "string" ? payload["tenant_id"] : undefined,
          scopes: new Set(String(payload["scope"]).split(" ")),
          phoneNumberIds: phoneNumberIdsOf(payload),
          expiresAtMs: ((payload.exp ?? 0) + LEEWAY_SECONDS) * 1000,
        };
      } catch (error) {
        throw explainInvalid(error) ?? error;
      }
    },
  };
}
