import { hash, timingSafeEqual } from "node:crypto";
import { sql } from "kysely";
import { newSecretText } from "../ids.ts";
import { Secret } from "../secret.ts";
import { announceChange, type ChangeFeed } from "../store/change-feed.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { createRemembered } from "../store/remembered.ts";

/** Name of the secret header that we register beside a hook's address; 360dialog sends it back. */
export const HOOK_SECRET_HEADER = "X-Gateway-Hook-Secret";

// 360dialog repeats what it could not deliver for up to seven days, perhaps to the address of then.
const ROTATED_LIVES_DAYS = 7;
// WhatsApp tries to deliver a message for 30 days at most.
const STATUSES_COME_DAYS = 30;
const HOOKS_MAX = 20_000;

/** Who a notification is for: the number whose hook it came over. */
export type HookOwner = {
  secretSha256: Buffer;
  numberId: string;
  phoneNumberId: string;
  wabaId: string | null;
  tenantId: string;
  /** Whose the number was before, for as long as statuses of what they sent may come. */
  formerTenantIds: readonly string[];
  expiresAt: Date | null;
};

/** A new address for a number: only the digests are kept, so it can be registered but never read. */
export async function createHook(
  db: Database,
  numberId: string,
): Promise<{ token: Secret; secret: Secret; tokenSha256: Buffer }> {
  const token = new Secret(newSecretText());
  const secret = new Secret(newSecretText());
  const tokenSha256 = sha256(token.reveal());
  await db
    .insertInto("hook")
    .values({
      token_sha256: tokenSha256,
      secret_sha256: sha256(secret.reveal()),
      number_id: numberId,
      expires_at: null,
    })
    .execute();
  return { token, secret, tokenSha256 };
}

/**
 * The new address is registered: the number's older ones live on for what is still repeated. Of two
 * rotations at once either may have been the last at 360dialog, so neither ends the other. Without
 * an older one the number is watched only from now on.
 */
export async function retireOtherHooks(
  db: Database,
  numberId: string,
  kept: Buffer,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable("hook")
      .set({ expires_at: new Date(Date.now() + ROTATED_LIVES_DAYS * 86_400_000) })
      .where("number_id", "=", numberId)
      .where("token_sha256", "!=", kept)
      .where("expires_at", "is", null)
      .execute();
    await trx
      .updateTable("phone_number")
      .set({ watched_since: sql`now()` })
      .where("id", "=", numberId)
      .where(
        sql<boolean>`not exists (select from hook where number_id = ${numberId}
          and token_sha256 != ${kept} and expires_at > now())`,
      )
      .execute();
    await trx
      .updateTable("hook")
      .set({ expires_at: null })
      .where("token_sha256", "=", kept)
      .execute();
    await forgetHooks(trx, numberId);
  });
}

/** Whether this address with this secret header is one of the number's that is not on its way out. */
export async function isCurrentHook(
  db: Database,
  numberId: string,
  { token, secret }: { token: string; secret: string },
): Promise<boolean> {
  const row = await db
    .selectFrom("hook")
    .select("secret_sha256")
    .where("token_sha256", "=", sha256(token))
    .where("number_id", "=", numberId)
    .where("expires_at", "is", null)
    .executeTakeFirst();
  return row !== undefined && timingSafeEqual(row.secret_sha256, sha256(secret));
}

export async function deleteHook(db: Database, tokenSha256: Buffer): Promise<void> {
  await db.deleteFrom("hook").where("token_sha256", "=", tokenSha256).execute();
}

/** For whatever changes what a hook leads to: its number's owner, WABA or existence. */
export async function forgetHooks(
  db: Database | DatabaseTransaction,
  numberId: string,
): Promise<void> {
  await announceChange(db, { kind: "hook", key: numberId });
}

export type FindHook = (
  token: string,
  secret: string | undefined,
) => Promise<HookOwner | undefined>;

/**
 * Looks a hook up by its token and checks the secret header, both by digest; the second in constant
 * time. A wrong secret is answered like a wrong token.
 */
export function createFindHook(options: { db: Database; feed: ChangeFeed }): FindHook {
  const remembered = createRemembered({
    feed: options.feed,
    load: (digest) => loadHook(options.db, Buffer.from(digest, "hex")),
    entriesMax: HOOKS_MAX,
  });
  const digestsOf = new Map<string, Set<string>>();
  // Those that are being read may turn out to be of any number.
  const unread = new Set<string>();
  options.feed.subscribe(({ kind, key }) => {
    if (kind === "hook") {
      for (const digest of [...(digestsOf.get(key) ?? []), ...unread]) {
        remembered.forget(digest);
      }
      digestsOf.delete(key);
    }
  });

  return async (token, secret) => {
    const digest = sha256(token).toString("hex");
    unread.add(digest);
    const found = Promise.resolve(remembered.get(digest));
    const owner = await found.finally(() => unread.delete(digest));
    if (owner === undefined) {
      return undefined;
    }
    const digests = digestsOf.get(owner.numberId) ?? new Set();
    digestsOf.set(owner.numberId, digests.add(digest));
    const expired = owner.expiresAt !== null && owner.expiresAt.getTime() <= Date.now();
    const given = sha256(secret ?? "");
    return timingSafeEqual(given, owner.secretSha256) && !expired ? owner : undefined;
  };
}

async function loadHook(db: Database, tokenSha256: Buffer): Promise<HookOwner | undefined> {
  const row = await db
    .selectFrom("hook as h")
    .innerJoin("phone_number as n", "n.id", "h.number_id")
    .where("h.token_sha256", "=", tokenSha256)
    .select(["h.secret_sha256", "h.expires_at", "h.number_id"])
    .select(["n.phone_number_id", "n.waba_id", "n.tenant_id"])
    .select(
      sql<string[]>`array(select m.tenant_id from number_move m
        where m.number_id = n.id and m.moved_at > now() - make_interval(days => ${STATUSES_COME_DAYS})
        )`.as("former_tenant_ids"),
    )
    .executeTakeFirst();
  return (
    row && {
      secretSha256: row.secret_sha256,
      numberId: row.number_id,
      phoneNumberId: row.phone_number_id,
      wabaId: row.waba_id,
      tenantId: row.tenant_id,
      formerTenantIds: row.former_tenant_ids,
      expiresAt: row.expires_at,
    }
  );
}

function sha256(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
