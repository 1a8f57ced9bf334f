import { jwtVerify } from "jose";
import { sql } from "kysely";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../src/ids.ts";
import { type ChangeFeed, startChangeFeed } from "../../../src/store/change-feed.ts";
import { createClient } from "../../../src/tenancy/clients.ts";
import { createLongLivedToken } from "../../../src/tenancy/long-lived-tokens.ts";
import { createOwnTokens, type OwnTokens } from "../../../src/tenancy/own-tokens.ts";
import { CannotOpen, createSealer } from "../../../src/tenancy/sealing.ts";
import { pruneTokens } from "../../../src/tenancy/revoked-tokens.ts";
import { Secret } from "../../../src/secret.ts";
import { openSigningKeys, type SigningKeys } from "../../../src/tenancy/signing-keys.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { buildTenant, sealer } from "../rows.ts";

const URL_OF_US = "https://waba.example.com";
const LIFETIME_MS = 3_600_000;

let database: TestDatabase;
const undo: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const each of undo.toReversed()) {
    await each();
  }
});
beforeEach(async () => {
  database = await createTestDatabase();
  undo.push(database.drop);
});

type Process = { feed: ChangeFeed; keys: SigningKeys; tokens: OwnTokens };

async function startProcess(): Promise<Process> {
  const { db } = database;
  const feed = startChangeFeed({ db, onError: () => {} });
  undo.push(feed.stop);
  const keys = await openSigningKeys({
    db,
    sealer,
    feed,
    tokenLifetimeMs: LIFETIME_MS,
    onError: () => {},
  });
  return {
    feed,
    keys,
    tokens: createOwnTokens({ signingKeys: keys, url: URL_OF_US, lifetimeMs: LIFETIME_MS }),
  };
}

const kidsOf = ({ keys }: Process) => keys.jwks().keys.map(({ kid }) => kid ?? "");

const age = (interval: string) =>
  sql`update signing_key set created_at = created_at - ${interval}::interval,
    active_from = active_from - ${interval}::interval`.execute(database.db);

/** A token by the public key set alone, as a resource server elsewhere would check it. */
async function issue({ tokens }: Process): Promise<string> {
  const { id } = await buildTenant(database.db);
  const { client } = await createClient(database.db, id, {
    name: null,
    scopes: ["events:read"],
    phone_number_ids: ["101"],
  });
  return (await tokens.issue(client, ["events:read"])).token;
}

describe("signing keys", () => {
  it("are one at first, which signs at once", async () => {
    const process = await startProcess();
    expect(kidsOf(process)).toEqual([process.keys.current().id]);
    expect(await process.tokens.check(await issue(process))).toMatchObject({
      scopes: new Set(["events:read"]),
      phoneNumberIds: ["101"],
    });
  });

  it("are the same for all processes that start at once", async () => {
    const processes = await Promise.all([startProcess(), startProcess(), startProcess()]);
    expect(new Set(processes.map(({ keys }) => keys.current().id)).size).toBe(1);
    expect(new Set(processes.flatMap(kidsOf)).size).toBe(1);
  });

  it("show nothing private", async () => {
    const process = await startProcess();
    for (const jwk of process.keys.jwks().keys) {
      expect(Object.keys(jwk).toSorted()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
    }
  });

  it("are sealed at rest", async () => {
    await startProcess();
    const row = await database.db.selectFrom("signing_key").selectAll().executeTakeFirstOrThrow();
    expect(row.private_key_sealed.toString("latin1")).not.toContain("PRIVATE KEY");
    const context = { purpose: "signing_key", rowId: row.id, tenantId: "" } as const;
    expect(sealer.open(row.private_key_sealed, context).reveal()).toContain("PRIVATE KEY");
    const key = new Secret(Buffer.alloc(32, 3).toString("base64"));
    const stranger = createSealer([{ id: "test", key }]);
    expect(() => stranger.open(row.private_key_sealed, context)).toThrow(CannotOpen);
  });

  it("stay as they are while they are young", async () => {
    const process = await startProcess();
    const before = kidsOf(process);
    await age("29 days");
    await process.keys.rotate();
    expect(kidsOf(process)).toEqual(before);
  });

  it("are replaced without a gap", async () => {
    const process = await startProcess();
    const old = process.keys.current().id;
    const oldToken = await issue(process);

    // The next one is published, but does not sign yet.
    await age("31 days");
    await process.keys.rotate();
    expect(kidsOf(process)).toHaveLength(2);
    expect(kidsOf(process)).toContain(old);
    expect(process.keys.current().id).toBe(old);
    await process.keys.rotate();
    expect(kidsOf(process)).toHaveLength(2);

    // Now it signs, and what the old one signed is still taken.
    await age("61 minutes");
    await process.keys.rotate();
    const fresh = process.keys.current().id;
    expect(fresh).not.toBe(old);
    expect(kidsOf(process)).toContain(old);
    const elsewhere = await startProcess();
    for (const token of [oldToken, await issue(process)]) {
      expect(await elsewhere.tokens.check(token)).toBeDefined();
    }

    // Only when no token of the old one can live any more is it gone.
    await age("30 minutes");
    await process.keys.rotate();
    expect(kidsOf(process)).toContain(old);
    await age("2 hours");
    await process.keys.rotate();
    expect(kidsOf(process)).toEqual([fresh]);
    const stranger = await startProcess();
    await expect(stranger.tokens.check(oldToken)).rejects.toMatchObject({
      code: "token_invalid",
    });
  });

  it("are kept as long as a long-lived token that they signed", async () => {
    const { db } = database;
    const process = await startProcess();
    const old = process.keys.current().id;
    const { id } = await buildTenant(db);
    const named = { name: null, scopes: ["events:read"], phone_number_ids: null };
    const { client } = await createClient(db, id, named);
    const { row, token } = await createLongLivedToken(db, id, {
      sign: process.tokens.sign,
      fields: {
        client_id: client.id,
        name: "tool",
        scopes: client.scopes,
        phone_number_ids: null,
        expires_at: new Date(Date.now() + 86_400_000),
      },
    });
    await age("31 days");
    await process.keys.rotate();
    await age("31 days");
    await process.keys.rotate();
    expect(process.keys.current().id).not.toBe(old);
    expect(kidsOf(process)).toContain(old);
    expect(await process.tokens.check(token)).toMatchObject({ jti: row.id });

    await db
      .updateTable("long_lived_token")
      .set({ expires_at: new Date(Date.now() - 2 * 3_600_000) })
      .execute();
    await pruneTokens(db);
    await process.keys.rotate();
    expect(kidsOf(process)).not.toContain(old);
  });

  it("that one process makes are heard of by the others", async () => {
    const [one, other] = [await startProcess(), await startProcess()];
    await age("31 days");
    await one.keys.rotate();
    await other.feed.read();
    await eventually(() => kidsOf(other).length === 2);
    expect(kidsOf(other).toSorted()).toEqual(kidsOf(one).toSorted());
  });

  it("are replaced once by several processes that rotate at once", async () => {
    const processes = [await startProcess(), await startProcess(), await startProcess()];
    await age("31 days");
    await Promise.all(processes.map(({ keys }) => keys.rotate()));
    for (const process of processes) {
      await process.keys.rotate();
      expect(kidsOf(process)).toHaveLength(2);
    }
  });
});

describe("a token", () => {
  it("is an access token by RFC 9068, checked by the public key set alone", async () => {
    const process = await startProcess();
    const token = await issue(process);
    const { payload, protectedHeader } = await jwtVerify(token, process.keys.keySet(), {
      issuer: URL_OF_US,
      audience: URL_OF_US,
      typ: "at+jwt",
    });
    expect(protectedHeader).toMatchObject({ alg: "RS256", typ: "at+jwt" });
    expect(payload).toMatchObject({
      client_id: payload.sub,
      scope: "events:read",
      tenant_id: expect.stringMatching(/^ten_/),
      phone_number_ids: ["101"],
      jti: expect.any(String),
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
  });

  it.each<[string, (token: string) => string]>([
    ["no token", () => "not a token"],
    ["no signature", (token) => token.split(".").slice(0, 2).join(".")],
    ["an empty signature", (token) => `${token.split(".").slice(0, 2).join(".")}.`],
    [
      "another payload",
      (token) => {
        const [head, body, signature] = token.split(".");
        const claims = JSON.parse(Buffer.from(body ?? "", "base64url").toString()) as object;
        const changed = Buffer.from(JSON.stringify({ ...claims, tenant_id: newId("ten") }));
        return [head, changed.toString("base64url"), signature].join(".");
      },
    ],
    [
      "no algorithm",
      (token) => {
        const head = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
        return [head, token.split(".")[1], ""].join(".");
      },
    ],
  ])("is refused with %s", async (_name, change) => {
    const process = await startProcess();
    const token = change(await issue(process));
    await expect(process.tokens.check(token)).rejects.toMatchObject({
      code: "token_invalid",
      status: 401,
      headers: { "www-authenticate": expect.stringContaining('error="invalid_token"') },
    });
  });

  it("of another gateway over the same keys is refused", async () => {
    const process = await startProcess();
    const other = createOwnTokens({
      signingKeys: process.keys,
      url: "https://other.example.com",
      lifetimeMs: LIFETIME_MS,
    });
    await expect(other.check(await issue(process))).rejects.toMatchObject({
      code: "token_invalid",
    });
  });
});
