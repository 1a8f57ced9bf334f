import { createHash, timingSafeEqual } from "node:crypto";
import type { Selectable } from "kysely";
import { newId, newSecretText } from "../ids.ts";
import { Secret } from "../secret.ts";
import { announceChange } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import type { ClientTable } from "../store/schema/tenancy.ts";
import { PARTNER_SCOPES } from "./scopes.ts";

export type ClientRow = Selectable<ClientTable>;

/** `tenantId` is `null` for a client of the partner. The secret exists only in this answer. */
export async function createClient(
  db: Database,
  tenantId: string | null,
  fields: { name: string | null; scopes: string[]; phone_number_ids: string[] | null },
): Promise<{ client: ClientRow; secret: Secret }> {
  const secret = new Secret(newSecretText());
  const client = await db
    .insertInto("client")
    .values({
      id: newId("cli"),
      tenant_id: tenantId,
      secret_sha256: sha256(secret.reveal()),
      ...fields,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { client, secret };
}

export async function listClients(
  db: Database,
  tenantId: string | null,
  page: { limit: number; after: string[] | undefined },
): Promise<ClientRow[]> {
  return db
    .selectFrom("client")
    .selectAll()
    .where("tenant_id", tenantId === null ? "is" : "=", tenantId)
    .where("revoked_at", "is", null)
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

/** Its tokens stop working with it. `false` when there is no such client, or no longer. */
export async function revokeClient(
  db: Database,
  tenantId: string | null,
  clientId: string,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const revoked = await trx
      .updateTable("client")
      .set({ revoked_at: new Date() })
      .where("tenant_id", tenantId === null ? "is" : "=", tenantId)
      .where("id", "=", clientId)
      .where("revoked_at", "is", null)
      .executeTakeFirst();
    await announceChange(trx, { kind: "client", key: clientId });
    return revoked.numUpdatedRows > 0n;
  });
}

/** The client as it stands now, whoever's it is; for checking its secret or its token. */
export async function findClientToAuthenticate(
  db: Database,
  clientId: string,
): Promise<ClientRow | undefined> {
  return db
    .selectFrom("client")
    .selectAll()
    .where("id", "=", clientId)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
}

const NO_SECRET = sha256("");

/** Takes the same time for an unknown client: there is always something to compare with. */
export function secretMatches(client: ClientRow | undefined, given: string): boolean {
  const equal = timingSafeEqual(sha256(given), client?.secret_sha256 ?? NO_SECRET);
  return equal && client !== undefined && given !== "";
}

/**
 * The partner client that the environment names, and no other one made that way: changing or
 * unsetting it ends the old one.
 */
export async function ensureBootstrapClient(
  db: Database,
  bootstrap: { id: string; secret: Secret } | undefined,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const old = await trx
      .deleteFrom("client")
      .where("bootstrap", "=", true)
      .where("id", "!=", bootstrap?.id ?? "")
      .returning("id")
      .execute();
    for (const { id } of old) {
      await announceChange(trx, { kind: "client", key: id });
    }
    if (bootstrap === undefined) {
      return;
    }
    const secret_sha256 = sha256(bootstrap.secret.reveal());
    await announceChange(trx, { kind: "client", key: bootstrap.id });
    const written = await trx
      .insertInto("client")
      .values({
        id: bootstrap.id,
        tenant_id: null,
        name: "bootstrap",
        secret_sha256,
        scopes: [...PARTNER_SCOPES],
        bootstrap: true,
      })
      .onConflict((conflict) =>
        conflict
          .column("id")
          .doUpdateSet({ secret_sha256, revoked_at: null })
          .where("client.bootstrap", "=", true),
      )
      .executeTakeFirst();
    if (written.numInsertedOrUpdatedRows !== 1n) {
      throw new Error("BOOTSTRAP_CLIENT_ID: another client has this id");
    }
  });
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
