import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSecretText } from "../../../src/ids.ts";
import { deleteNumberAsPartner, updateNumberAsPartner } from "../../../src/partner/numbers.ts";
import type { Secret } from "../../../src/secret.ts";
import { type ChangeFeed, startChangeFeed } from "../../../src/store/change-feed.ts";
import {
  createFindHook,
  createHook,
  type FindHook,
  forgetHooks,
  retireOtherHooks,
} from "../../../src/tenancy/hooks.ts";
import type { PhoneNumberRow } from "../../../src/tenancy/phone-numbers.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { buildNumber, buildTenant } from "../rows.ts";

let database: TestDatabase;
let feed: ChangeFeed;
let findHook: FindHook;
beforeAll(async () => {
  database = await createTestDatabase();
  feed = startChangeFeed({ db: database.db, onError: () => {} });
  findHook = createFindHook({ db: database.db, feed });
});
afterAll(async () => {
  await feed.stop();
  await database.drop();
});

type Hook = { token: Secret; secret: Secret; tokenSha256: Buffer };

async function build(): Promise<{ number: PhoneNumberRow; hook: Hook }> {
  const { id } = await buildTenant(database.db);
  const number = await buildNumber(database.db, id, { waba_id: "900" });
  return { number, hook: await createHook(database.db, number.id) };
}

const find = ({ token, secret }: Hook) => findHook(token.reveal(), secret.reveal());

/** Past what processes remember, as if time had passed. */
const setExpiry = (hook: Hook, expires_at: Date) =>
  database.db
    .updateTable("hook")
    .set({ expires_at })
    .where("token_sha256", "=", hook.tokenSha256)
    .execute();

describe("a hook", () => {
  it("leads to its number and its number's tenant", async () => {
    const { number, hook } = await build();
    expect(await find(hook)).toMatchObject({
      numberId: number.id,
      phoneNumberId: number.phone_number_id,
      wabaId: "900",
      tenantId: number.tenant_id,
      expiresAt: null,
    });
  });

  it("is kept only as digests", async () => {
    const { hook } = await build();
    const rows = JSON.stringify(
      await database.db.selectFrom("hook").selectAll().execute(),
      (_name, value: unknown) =>
        typeof value === "object" && value !== null && "type" in value && value.type === "Buffer"
          ? Buffer.from((value as unknown as { data: number[] }).data).toString("latin1")
          : value,
    );
    expect(rows).not.toContain(hook.token.reveal());
    expect(rows).not.toContain(hook.secret.reveal());
  });

  it.each<[string, (hook: Hook) => [string, string | undefined]]>([
    ["another token", ({ secret }) => [newSecretText(), secret.reveal()]],
    ["another secret", ({ token }) => [token.reveal(), newSecretText()]],
    ["no secret", ({ token }) => [token.reveal(), undefined]],
    ["an empty secret", ({ token }) => [token.reveal(), ""]],
    ["nothing", () => ["", ""]],
    ["its digest", ({ tokenSha256, secret }) => [tokenSha256.toString("hex"), secret.reveal()]],
    ["a token with more behind it", ({ token, secret }) => [`${token.reveal()}x`, secret.reveal()]],
  ])("is not found by %s", async (_name, guess) => {
    const { hook } = await build();
    expect(await findHook(...guess(hook))).toBeUndefined();
    expect(await find(hook)).toBeDefined();
  });
});

describe("a hook that has been replaced", () => {
  it("lives on for a week, beside the new one", async () => {
    const { number, hook: old } = await build();
    await find(old);
    const fresh = await createHook(database.db, number.id);
    await retireOtherHooks(database.db, number.id, fresh.tokenSha256);
    await feed.read();
    const [found, foundFresh] = [await find(old), await find(fresh)];
    expect(foundFresh?.expiresAt).toBeNull();
    const days = ((found?.expiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.99);
    expect(days).toBeLessThan(7.01);
  });

  it("is found no more after that, even where it is still remembered", async () => {
    const { number, hook } = await build();
    await setExpiry(hook, new Date(Date.now() - 1));
    expect(await find(hook)).toBeUndefined();
    await setExpiry(hook, new Date(Date.now() + 60_000));
    await forgetHooks(database.db, number.id);
    await feed.read();
    expect(await find(hook)).toBeDefined();
  });

  it("does not live longer because it is replaced once more", async () => {
    const { number, hook } = await build();
    const soon = new Date(Date.now() + 60_000);
    await setExpiry(hook, soon);
    const fresh = await createHook(database.db, number.id);
    await retireOtherHooks(database.db, number.id, fresh.tokenSha256);
    expect((await find(hook))?.expiresAt).toEqual(soon);
  });

  it("does not end another number's", async () => {
    const [one, other] = [await build(), await build()];
    const fresh = await createHook(database.db, one.number.id);
    await retireOtherHooks(database.db, one.number.id, fresh.tokenSha256);
    await feed.read();
    expect((await find(other.hook))?.expiresAt).toBeNull();
  });
});

describe("what a process remembers of a hook", () => {
  it("follows its number's WABA", async () => {
    const { number, hook } = await build();
    await find(hook);
    await updateNumberAsPartner(database.db, number, { fields: { waba_id: "901" } });
    await feed.read();
    expect(await find(hook)).toMatchObject({ wabaId: "901" });
  });

  // Which number a hook is of, a process knows only when it has read it.
  it("ends with its number also when that goes while the hook is being read", async () => {
    const { number, hook } = await build();
    const [hasRead, mayGoOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = database.db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        hasRead.resolve();
        await mayGoOn.promise;
        return result;
      },
    });
    const findSlowly = createFindHook({ db: slow, feed });
    const [token, secret] = [hook.token.reveal(), hook.secret.reveal()] as const;
    const reading = findSlowly(token, secret);
    await hasRead.promise;
    await deleteNumberAsPartner(database.db, number);
    await feed.read();
    mayGoOn.resolve();
    await reading;
    expect(await findSlowly(token, secret)).toBeUndefined();
  });

  it("ends with its number", async () => {
    const { number, hook } = await build();
    expect(await find(hook)).toBeDefined();
    await deleteNumberAsPartner(database.db, number);
    await feed.read();
    expect(await find(hook)).toBeUndefined();
  });

  it("makes its number watched from when there was none before", async () => {
    const { number, hook } = await build();
    const longAgo = new Date(0);
    const watchedSince = async (): Promise<number> => {
      const row = await database.db
        .selectFrom("phone_number")
        .select("watched_since")
        .where("id", "=", number.id)
        .executeTakeFirstOrThrow();
      return row.watched_since.getTime();
    };
    const setLongAgo = () =>
      database.db
        .updateTable("phone_number")
        .set({ watched_since: longAgo })
        .where("id", "=", number.id)
        .execute();
    await setLongAgo();
    await retireOtherHooks(database.db, number.id, hook.tokenSha256);
    expect(Date.now() - (await watchedSince())).toBeLessThan(60_000);

    await setLongAgo();
    const rotated = await createHook(database.db, number.id);
    await retireOtherHooks(database.db, number.id, rotated.tokenSha256);
    expect(await watchedSince()).toBe(0);
  });
});
