import { describe, expect, it } from "vitest";
import type { Change } from "../../../src/store/change-feed.ts";
import { tokenInvalid, type TokenClaims } from "../../../src/tenancy/token-claims.ts";
import { createVerifyToken } from "../../../src/tenancy/verify-token.ts";

const CLAIMS: TokenClaims = {
  iss: "https://us.example.com",
  jti: "jti-1",
  foreign: false,
  clientId: "cli_1",
  tenantId: "ten_1",
  scopes: new Set(["messages:send"]),
  phoneNumberIds: null,
  expiresAtMs: 10_000_000,
};

function verifier(claims: TokenClaims = CLAIMS) {
  const clock = { nowMs: 0 };
  const feed = {
    isFresh: true,
    fresh: () => feed.isFresh,
    listener: (_change: Change): void => {},
    subscribe(listener: (change: Change) => void) {
      feed.listener = listener;
    },
  };
  const checks: { token: string; finish: PromiseWithResolvers<TokenClaims> }[] = [];
  const verify = createVerifyToken({
    feed,
    now: () => clock.nowMs,
    check(token) {
      const finish = Promise.withResolvers<TokenClaims>();
      checks.push({ token, finish });
      return finish.promise;
    },
  });
  /** One call, whose check, if there is one, finds the token good. */
  const call = async (token = "token"): Promise<TokenClaims> => {
    const verified = verify(token);
    checks.at(-1)?.finish.resolve(claims);
    return verified;
  };
  return { clock, feed, checks, verify, call };
}

describe("a verified token", () => {
  it("is checked once", async () => {
    const { call, checks } = verifier();
    expect([await call(), await call(), await call()]).toEqual([CLAIMS, CLAIMS, CLAIMS]);
    expect(checks).toHaveLength(1);
    await call("another");
    expect(checks).toHaveLength(2);
  });

  it("is checked again once it has expired", async () => {
    const { call, checks, clock } = verifier();
    await call();
    clock.nowMs = CLAIMS.expiresAtMs - 1;
    await call();
    expect(checks).toHaveLength(1);
    clock.nowMs = CLAIMS.expiresAtMs;
    await call();
    expect(checks).toHaveLength(2);
  });

  it("of another issuer is checked again after ten minutes, should its key be gone", async () => {
    const { call, checks, clock } = verifier({ ...CLAIMS, foreign: true });
    await call();
    clock.nowMs = 10 * 60_000 - 1;
    await call();
    expect(checks).toHaveLength(1);
    clock.nowMs = 10 * 60_000;
    await call();
    expect(checks).toHaveLength(2);
  });

  it.each<[string, Change, number]>([
    ["when it is revoked", { kind: "revoked_token", key: "jti-1" }, 2],
    ["when its issuer changes", { kind: "issuer", key: CLAIMS.iss }, 2],
    ["not when another is revoked", { kind: "revoked_token", key: "jti-2" }, 1],
    ["not when another issuer changes", { kind: "issuer", key: "https://idp.example.com" }, 1],
    [
      "not when a client changes, which is asked for each time",
      { kind: "client", key: "jti-1" },
      1,
    ],
  ])("is checked again %s", async (_name, change, checkCount) => {
    const { call, checks, feed } = verifier();
    await call();
    feed.listener(change);
    await call();
    expect(checks).toHaveLength(checkCount);
  });

  // What is being checked may have been read before the change.
  it("is not remembered when something was revoked while it was being checked", async () => {
    const { call, checks, feed, verify } = verifier();
    const during = verify("token");
    feed.listener({ kind: "revoked_token", key: "jti-1" });
    checks[0]?.finish.resolve(CLAIMS);
    await during;
    await call();
    expect(checks).toHaveLength(2);
    await call();
    expect(checks).toHaveLength(2);
  });

  it("is checked each time while changes cannot be heard of", async () => {
    const { call, checks, feed } = verifier();
    await call();
    feed.isFresh = false;
    await call();
    await call();
    expect(checks).toHaveLength(3);
  });

  it("is never remembered as bad", async () => {
    const { call, checks, verify } = verifier();
    const refused = verify("token");
    checks[0]?.finish.reject(tokenInvalid("not now"));
    await expect(refused).rejects.toMatchObject({ code: "token_invalid" });
    expect(await call()).toBe(CLAIMS);
    expect(checks).toHaveLength(2);
  });
});
