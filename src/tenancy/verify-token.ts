import { hash } from "node:crypto";
import type { Soon } from "../soon.ts";
import type { ChangeFeed } from "../store/change-feed.ts";
import type { TokenClaims } from "./token-claims.ts";

/** @throws {ApiError} `token_invalid`, or `overloaded` when its issuer's keys cannot be had */
export type VerifyToken = (token: string) => Soon<TokenClaims>;

const REMEMBERED_MAX = 20_000;
// So that a key which another issuer has withdrawn ends what it signed.
const FOREIGN_REMEMBERED_MS = 10 * 60_000;

/**
 * Remembers what a check found until the token expires, or until its revocation or a change of its
 * issuer is heard of. Beside a stale feed each token is checked anew.
 */
export function createVerifyToken(options: {
  check: VerifyToken;
  feed: Pick<ChangeFeed, "fresh" | "subscribe">;
  now?: () => number;
}): VerifyToken {
  const { check, feed, now = Date.now } = options;
  // By the token's digest, so that no token is kept; checking a signature costs 100 µs, this 2.
  const remembered = new Map<string, { claims: TokenClaims; untilMs: number }>();
  let changeCount = 0;

  feed.subscribe(({ kind, key }) => {
    if (kind !== "revoked_token" && kind !== "issuer") {
      return;
    }
    changeCount += 1;
    for (const [digest, { claims }] of remembered) {
      if ((kind === "issuer" ? claims.iss : claims.jti) === key) {
        remembered.delete(digest);
      }
    }
  });

  async function checkAnew(token: string, digest: string): Promise<TokenClaims> {
    remembered.delete(digest);
    const changesBefore = changeCount;
    const claims = await check(token);
    // What was checked while a change came may have been read before it.
    if (changesBefore === changeCount) {
      if (remembered.size >= REMEMBERED_MAX) {
        remembered.clear();
      }
      const atMostMs = claims.foreign ? now() + FOREIGN_REMEMBERED_MS : Infinity;
      remembered.set(digest, { claims, untilMs: Math.min(claims.expiresAtMs, atMostMs) });
    }
    return claims;
  }

  return (token) => {
    const digest = hash("sha256", token, "base64");
    const known = remembered.get(digest);
    return known !== undefined && known.untilMs > now() && feed.fresh()
      ? known.claims
      : checkAnew(token, digest);
  };
}
