import { hash } from "node:crypto";
import { sql } from "kysely";
import { newSecretText } from "../../ids.ts";
import { Secret } from "../../secret.ts";
import type { Database } from "../../store/database.ts";

/** A new address of the partner's webhook; only its digest is kept. */
export async function createPartnerHook(db: Database): Promise<Secret> {
  const token = new Secret(newSecretText());
  await db
    .insertInto("partner_hook")
    .values({ token_sha256: digestOf(token.reveal()), expires_at: null })
    .execute();
  return token;
}

/** The new address is registered: older ones live on for what 360dialog repeats. */
export async function retireOtherPartnerHooks(db: Database, kept: Secret): Promise<void> {
  await db
    .updateTable("partner_hook")
    .set({ expires_at: sql`now() + interval '7 days'` })
    .where("token_sha256", "!=", digestOf(kept.reveal()))
    .where("expires_at", "is", null)
    .execute();
}

export async function deletePartnerHook(db: Database, token: Secret): Promise<void> {
  await db
    .deleteFrom("partner_hook")
    .where("token_sha256", "=", digestOf(token.reveal()))
    .execute();
}

export async function isPartnerHook(db: Database, token: string): Promise<boolean> {
  const row = await db
    .selectFrom("partner_hook")
    .select("token_sha256")
    .where("token_sha256", "=", digestOf(token))
    .where((where) =>
      where.or([where("expires_at", "is", null), where("expires_at", ">", sql<Date>`now()`)]),
    )
    .executeTakeFirst();
  return row !== undefined;
}

function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
