import { type Selectable, sql } from "kysely";
import { NotFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Database } from "../store/database.ts";
import type { LongLivedTokenTable } from "../store/schema/tenancy.ts";
import type { OwnTokens } from "./own-tokens.ts";
import { rememberRevoked } from "./revoked-tokens.ts";

export type LongLivedTokenRow = Selectable<LongLivedTokenTable>;

export type LongLivedTokenFields = Pick<
  LongLivedTokenRow,
  "client_id" | "name" | "scopes" | "phone_number_ids" | "expires_at"
>;

/** The token exists only in this answer; what is kept of it lets it be listed and revoked. */
export async function createLongLivedToken(
  db: Database,
  tenantId: string,
  options: { fields: LongLivedTokenFields; sign: OwnTokens["sign"] },
): Promise<{ row: LongLivedTokenRow; token: string }> {
  const { fields, sign } = options;
  const id = newId("tok");
  const { token, signingKeyId } = await sign({
    client: { id: fields.client_id, tenant_id: tenantId },
    scopes: fields.scopes,
    phoneNumberIds: fields.phone_number_ids,
    jti: id,
    expiresAt: fields.expires_at,
  });
  const row = await db
    .insertInto("long_lived_token")
    .values({ id, tenant_id: tenantId, signing_key_id: signingKeyId, ...fields })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { row, token };
}

/** Those that still work; a token limited to some numbers sees those wholly of these. */
export async function listLongLivedTokens(
  db: Database,
  tenantId: string,
  page: { limit: number; after: string[] | undefined; among: readonly string[] | null },
): Promise<LongLivedTokenRow[]> {
  return db
    .selectFrom("long_lived_token as t")
    .innerJoin("client as c", "c.id", "t.client_id")
    .selectAll("t")
    .where("t.tenant_id", "=", tenantId)
    .where("t.expires_at", ">", new Date())
    .where("c.revoked_at", "is", null)
    .where(within(page.among))
    .$if(page.after !== undefined, (q) => q.where("t.id", ">", page.after?.[0] ?? ""))
    .orderBy("t.id")
    .limit(page.limit + 1)
    .execute();
}

/** @throws {NotFound} also for one that reaches beyond `among` */
export async function revokeLongLivedToken(
  db: Database,
  tenantId: string,
  options: { tokenId: string; among: readonly string[] | null },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const deleted = await trx
      .deleteFrom("long_lived_token as t")
      .where("t.tenant_id", "=", tenantId)
      .where("t.id", "=", options.tokenId)
      .where(within(options.among))
      .returning(["t.id", "t.expires_at"])
      .executeTakeFirst();
    if (deleted === undefined) {
      throw new NotFound();
    }
    await rememberRevoked(trx, { jti: deleted.id, expiresAt: deleted.expires_at });
  });
}

function within(among: readonly string[] | null) {
  return among === null
    ? sql<boolean>`true`
    : sql<boolean>`coalesce(t.phone_number_ids <@ ${[...among]}::text[], false)`;
}
