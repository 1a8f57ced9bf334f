import { sql } from "kysely";
import { announceChange } from "../store/change-feed.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";

/** The token stops working everywhere; a long-lived one is listed no more. Safe to repeat. */
export async function revokeToken(
  db: Database,
  token: { jti: string; expiresAt: Date },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom("long_lived_token").where("id", "=", token.jti).execute();
    await rememberRevoked(trx, token);
  });
}

/** The part of a revocation that every process hears of. */
export async function rememberRevoked(
  trx: DatabaseTransaction,
  token: { jti: string; expiresAt: Date },
): Promise<void> {
  await trx
    .insertInto("revoked_token")
    .values({ jti: token.jti, expires_at: token.expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await announceChange(trx, { kind: "revoked_token", key: token.jti });
}

export async function isRevoked(db: Database, jti: string): Promise<boolean> {
  const row = await db
    .selectFrom("revoked_token")
    .select("jti")
    .where("jti", "=", jti)
    .executeTakeFirst();
  return row !== undefined;
}

/** Tokens that nobody takes any more, an hour later for clocks that differ. */
export async function pruneTokens(db: Database): Promise<void> {
  const longPast = sql<Date>`now() - interval '1 hour'`;
  await db.deleteFrom("revoked_token").where("expires_at", "<", longPast).execute();
  await db.deleteFrom("long_lived_token").where("expires_at", "<", longPast).execute();
}
