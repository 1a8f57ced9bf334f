import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChangeFeed, startChangeFeed } from "../../../src/store/change-feed.ts";
import { createCheckToken } from "../../../src/tenancy/check-token.ts";
import { type ClientRow, createClient } from "../../../src/tenancy/clients.ts";
import { createOwnTokens, type OwnTokens } from "../../../src/tenancy/own-tokens.ts";
import { isRevoked, pruneTokens, revokeToken } from "../../../src/tenancy/revoked-tokens.ts";
import { openSigningKeys } from "../../../src/tenancy/signing-keys.ts";
import { tokenInvalid } from "../../../src/tenancy/token-claims.ts";
import { createVerifyToken, type VerifyToken } from "../../../src/tenancy/verify-token.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildTenant, sealer } from "../rows.ts";

const URL_OF_US = "https://waba.example.com";
const LIFETIME_MS = 3_600_000;

let database: TestDatabase;
let feed: ChangeFeed;
let ownTokens: OwnTokens;
let client: ClientRow;
beforeAll(async () => {
  database = await createTestDatabase();
  const { db } = database;
  feed = startChangeFeed({ db, onError: () => {} });
  const keys = { db, sealer, feed, tokenLifetimeMs: LIFETIME_MS, onError: () => {} };
  const signingKeys = await openSigningKeys(keys);
  ownTokens = createOwnTokens({ signingKeys, url: URL_OF_US, lifetimeMs: LIFETIME_MS });
  const { id } = await buildTenant(db);
  const fields = { name: null, scopes: ["events:read"], phone_number_ids: null };
  ({ client } = await createClient(db, id, fields));
});
afterAll(async () => {
  await feed.stop();
  await database.drop();
});

const issue = async (): Promise<string> => (await ownTokens.issue(client, client.scopes)).token;

async function revoke(token: string): Promise<string> {
  const { jti, expiresAtMs } = await ownTokens.check(token);
  await revokeToken(database.db, { jti, expiresAt: new Date(expiresAtMs) });
  return jti;
}

/** A process's way to a token's claims, with the feed as it is or with one that hears nothing. */
function verifierOf(hearing: Pick<ChangeFeed, "fresh" | "subscribe">): VerifyToken {
  const check = createCheckToken({
    url: URL_OF_US,
    ownTokens,
    isRevoked: (jti) => isRevoked(database.db, jti),
    checkForeign: () => Promise.reject(tokenInvalid("There are no other issuers here.")),
  });
  return createVerifyToken({ check, feed: hearing });
}

const refused = { code: "token_invalid", message: "The token has been revoked." };

describe("a token that is revoked", () => {
  it("is refused as soon as its process has heard of it, other tokens not", async () => {
    const verify = verifierOf(feed);
    const [token, other] = [await issue(), await issue()];
    await verify(token);
    await revoke(token);
    await feed.read();
    await expect(verify(token)).rejects.toMatchObject(refused);
    expect(await verify(other)).toMatchObject({ clientId: client.id });
  });

  it("is refused by a process that had never seen it", async () => {
    const token = await issue();
    await revoke(token);
    await expect(verifierOf(feed)(token)).rejects.toMatchObject(refused);
  });

  it("is refused at once by a process that hears of no changes, for it asks the database", async () => {
    const verify = verifierOf({ fresh: () => false, subscribe: () => {} });
    const token = await issue();
    await verify(token);
    await revoke(token);
    await expect(verify(token)).rejects.toMatchObject(refused);
  });

  it("may be revoked again", async () => {
    const token = await issue();
    expect(await revoke(token)).toBe(await revoke(token));
  });

  it("is remembered as revoked until it has long expired", async () => {
    const { db } = database;
    const [living, dead] = ["living", "dead"];
    await revokeToken(db, { jti: living, expiresAt: new Date(Date.now() - 60_000) });
    await revokeToken(db, { jti: dead, expiresAt: new Date(Date.now() - 3_601_000) });
    await pruneTokens(db);
    expect([await isRevoked(db, living), await isRevoked(db, dead)]).toEqual([true, false]);
  });
});
