import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newSecretText } from "../../../src/ids.ts";
import { Secret } from "../../../src/secret.ts";
import {
  createClient,
  ensureBootstrapClient,
  findClientToAuthenticate,
  listClients,
  revokeClient,
  secretMatches,
} from "../../../src/tenancy/clients.ts";
import { createDirectory, type Directory } from "../../../src/tenancy/directory.ts";
import { type ChangeFeed, startChangeFeed } from "../../../src/store/change-feed.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildTenant, sealer } from "../rows.ts";

let database: TestDatabase;
let feed: ChangeFeed;
let directory: Directory;
beforeAll(async () => {
  database = await createTestDatabase();
  feed = startChangeFeed({ db: database.db, onError: () => {} });
  directory = createDirectory({ db: database.db, feed, sealer });
});
afterAll(async () => {
  await feed.stop();
  await database.drop();
});

const PLAIN = { name: null, scopes: ["events:read"], phone_number_ids: null };
const find = (id: string) => findClientToAuthenticate(database.db, id);

describe("a client", () => {
  it("is known by its secret, which is kept only as a digest", async () => {
    const { id } = await buildTenant(database.db);
    const { client, secret } = await createClient(database.db, id, PLAIN);
    expect(client.id).toMatch(/^cli_[0-9a-z]{26}$/);
    expect(secretMatches(await find(client.id), secret.reveal())).toBe(true);
    const row = JSON.stringify(client) + client.secret_sha256.toString("latin1");
    expect(row).not.toContain(secret.reveal());
  });

  it.each([
    ["another secret", newSecretText()],
    ["no secret", ""],
  ])("is not known by %s", async (_name, given) => {
    const { client } = await createClient(database.db, null, PLAIN);
    expect(secretMatches(await find(client.id), given)).toBe(false);
  });

  it("that does not exist is known by nothing", async () => {
    expect(await find("cli_none")).toBeUndefined();
    expect(secretMatches(undefined, "")).toBe(false);
    expect(secretMatches(undefined, newSecretText())).toBe(false);
  });

  it("that is revoked is found and listed no more, and revoked only once", async () => {
    const { id } = await buildTenant(database.db);
    const { client } = await createClient(database.db, id, PLAIN);
    expect(await revokeClient(database.db, id, client.id)).toBe(true);
    expect(await find(client.id)).toBeUndefined();
    expect(await listClients(database.db, id, { limit: 9, after: undefined })).toEqual([]);
    expect(await revokeClient(database.db, id, client.id)).toBe(false);
  });

  it("is revoked and listed by nobody but its owner", async () => {
    const [one, other] = [await buildTenant(database.db), await buildTenant(database.db)];
    const { client } = await createClient(database.db, one.id, PLAIN);
    const { client: partners } = await createClient(database.db, null, PLAIN);
    expect(await revokeClient(database.db, other.id, client.id)).toBe(false);
    expect(await revokeClient(database.db, null, client.id)).toBe(false);
    expect(await revokeClient(database.db, one.id, partners.id)).toBe(false);
    const page = { limit: 100, after: undefined };
    const idsOf = async (owner: string | null) =>
      (await listClients(database.db, owner, page)).map((row) => row.id);
    expect(await idsOf(one.id)).toEqual([client.id]);
    expect(await idsOf(other.id)).toEqual([]);
    expect(await idsOf(null)).toContain(partners.id);
    expect(await idsOf(null)).not.toContain(client.id);
  });

  it("is forgotten by every process once it is revoked", async () => {
    const { client } = await createClient(database.db, null, PLAIN);
    expect(await directory.findClient(client.id)).toMatchObject({ id: client.id });
    await revokeClient(database.db, null, client.id);
    await feed.read();
    expect(await directory.findClient(client.id)).toBeUndefined();
  });

  it("is listed in pages without a gap", async () => {
    const { id } = await buildTenant(database.db);
    const made: string[] = [];
    for (let n = 0; n < 5; n++) {
      made.push((await createClient(database.db, id, PLAIN)).client.id);
    }
    const listed: string[] = [];
    for (let after: string[] | undefined; ;) {
      const rows = (await listClients(database.db, id, { limit: 2, after })).slice(0, 2);
      const last = rows.at(-1);
      if (last === undefined) {
        break;
      }
      listed.push(...rows.map((row) => row.id));
      after = [last.id];
    }
    expect(listed).toEqual(made.toSorted());
  });
});

const ensure = (id: string, secret: Secret) => ensureBootstrapClient(database.db, { id, secret });
const works = async (id: string, secret: Secret) => secretMatches(await find(id), secret.reveal());

describe("the bootstrap client", () => {
  const [first, second] = [new Secret(newSecretText()), new Secret(newSecretText())];
  beforeEach(async () => {
    await ensureBootstrapClient(database.db, undefined);
    await feed.read();
  });

  it("exists after every start, with all that the partner may do", async () => {
    await ensure("partner", first);
    await ensure("partner", first);
    expect(await works("partner", first)).toBe(true);
    expect(await find("partner")).toMatchObject({
      tenant_id: null,
      scopes: ["partner:read", "partner:write"],
      bootstrap: true,
    });
  });

  it("has only the new secret once that has changed, in every process", async () => {
    await ensure("partner", first);
    expect(secretMatches(await directory.findClient("partner"), first.reveal())).toBe(true);
    await ensure("partner", second);
    await feed.read();
    const client = await directory.findClient("partner");
    expect(secretMatches(client, first.reveal())).toBe(false);
    expect(secretMatches(client, second.reveal())).toBe(true);
  });

  it("is gone once another one is named, in every process", async () => {
    await ensure("partner", first);
    await directory.findClient("partner");
    await ensure("operator", first);
    await feed.read();
    expect(await directory.findClient("partner")).toBeUndefined();
    expect(await works("operator", first)).toBe(true);
  });

  it("is gone once none is named", async () => {
    await ensure("partner", first);
    await ensureBootstrapClient(database.db, undefined);
    expect(await find("partner")).toBeUndefined();
  });

  it("never takes the place of a client that was made otherwise", async () => {
    const { id } = await buildTenant(database.db);
    const { client, secret } = await createClient(database.db, id, PLAIN);
    await expect(ensure(client.id, first)).rejects.toThrow("BOOTSTRAP_CLIENT_ID");
    expect(await find(client.id)).toMatchObject({ tenant_id: id, scopes: ["events:read"] });
    expect(await works(client.id, secret)).toBe(true);
    await ensureBootstrapClient(database.db, undefined);
    expect(await works(client.id, secret)).toBe(true);
  });

  it("works again when it has been revoked and the gateway starts anew", async () => {
    await ensure("partner", first);
    await revokeClient(database.db, null, "partner");
    expect(await works("partner", first)).toBe(false);
    await ensure("partner", first);
    expect(await works("partner", first)).toBe(true);
  });
});
