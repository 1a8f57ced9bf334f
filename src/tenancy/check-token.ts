import { decodeJwt, type JWTPayload } from "jose";
import type { CheckForeign } from "./foreign-tokens.ts";
import type { OwnTokens } from "./own-tokens.ts";
import { tokenInvalid } from "./token-claims.ts";
import type { VerifyToken } from "./verify-token.ts";

/** A token of whichever issuer it says it is of, checked from the ground up. */
export function createCheckToken(options: {
  /** Our PUBLIC_URL: the `iss` of our own tokens. */
  url: string;
  ownTokens: Pick<OwnTokens, "check">;
  isRevoked: (jti: string) => Promise<boolean>;
  checkForeign: CheckForeign;
}): VerifyToken {
  const { url, ownTokens, isRevoked, checkForeign } = options;
  return async (token) => {
    const { iss, aud } = unverified(token);
    if (typeof iss === "string" && iss !== url) {
      return checkForeign(token, { iss, aud: [aud ?? []].flat() });
    }
    const claims = await ownTokens.check(token);
    if (await isRevoked(claims.jti)) {
      throw tokenInvalid("The token has been revoked.");
    }
    return claims;
  };
}

/** What cannot be read says nothing, and is refused where our own tokens are checked. */
function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}
