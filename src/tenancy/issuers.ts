import { type Insertable, type Selectable, sql } from "kysely";
import { InvalidRequest } from "../errors.ts";
import { newId } from "../ids.ts";
import { announceChange, type ChangeFeed } from "../store/change-feed.ts";
import {
  brokenUniqueConstraint,
  type Database,
  type DatabaseTransaction,
} from "../store/database.ts";
import { createRemembered } from "../store/remembered.ts";
import type { IssuerTable } from "../store/schema/tenancy.ts";

export type IssuerRow = Selectable<IssuerTable>;
export type IssuerFields = Omit<Insertable<IssuerTable>, "id" | "created_at">;

/** The registrations of an `iss`, one for each audience, remembered. */
export type FindIssuers = (iss: string) => Promise<readonly IssuerRow[]>;

const REMEMBERED_MAX = 10_000;
/** What the contract lets be registered; a token may say anything, U+0000 too. */
const REGISTRABLE = /^[!-~]{1,1000}$/;

export function createFindIssuers(options: { db: Database; feed: ChangeFeed }): FindIssuers {
  const { db, feed } = options;
  const remembered = createRemembered<readonly IssuerRow[]>({
    feed,
    load: (iss) => db.selectFrom("issuer").selectAll().where("iss", "=", iss).execute(),
    entriesMax: REMEMBERED_MAX,
  });
  feed.subscribe(({ kind, key }) => {
    if (kind === "issuer") {
      remembered.forget(key);
    }
  });
  return async (iss) => {
    if (!REGISTRABLE.test(iss)) {
      return [];
    }
    const issuers = await remembered.get(iss);
    if (issuers.length === 0) {
      // Guesses must not crowd out the ones that exist.
      remembered.forget(iss);
    }
    return issuers;
  };
}

/** @throws {InvalidRequest} `unknown_tenant`, `issuer_taken` */
export async function insertIssuerAsPartner(
  db: Database,
  fields: IssuerFields,
): Promise<IssuerRow> {
  try {
    return await db.transaction().execute(async (trx) => {
      await checkTenants(trx, fields);
      await announceChange(trx, { kind: "issuer", key: fields.iss });
      return trx
        .insertInto("issuer")
        .values({ id: newId("iss"), ...fields })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  } catch (error) {
    if (brokenUniqueConstraint(error) === "issuer_taken") {
      const detail = "This iss is registered with this audience already.";
      throw new InvalidRequest([{ code: "issuer_taken", pointer: "/iss", detail }]);
    }
    throw error;
  }
}

/** Locks them too: none is deleted before it is written down that the issuer speaks for it. */
async function checkTenants(trx: DatabaseTransaction, fields: IssuerFields): Promise<void> {
  const { tenant_id, tenant_ids } = fields;
  const named = tenant_ids ?? (typeof tenant_id === "string" ? [tenant_id] : []);
  const rows = await trx
    .selectFrom("tenant")
    .select("id")
    .where("id", "in", [...named, ""])
    .forKeyShare()
    .execute();
  const known = new Set(rows.map(({ id }) => id));
  const errors = named.flatMap((id, index) =>
    known.has(id)
      ? []
      : [
          {
            code: "unknown_tenant",
            pointer: tenant_ids ? `/tenant_ids/${index}` : "/tenant_id",
            detail: `There is no tenant ${JSON.stringify(id)}.`,
          },
        ],
  );
  if (errors.length > 0) {
    throw new InvalidRequest(errors);
  }
}

export async function listIssuersAsPartner(
  db: Database,
  page: { limit: number; after: string[] | undefined },
): Promise<IssuerRow[]> {
  return db
    .selectFrom("issuer")
    .selectAll()
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

export async function findIssuerAsPartner(
  db: Database,
  issuerId: string,
): Promise<IssuerRow | undefined> {
  return db.selectFrom("issuer").selectAll().where("id", "=", issuerId).executeTakeFirst();
}

/** Its tokens stop working with it. `false` when there is no such issuer. */
export async function deleteIssuerAsPartner(db: Database, issuerId: string): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const deleted = await trx
      .deleteFrom("issuer")
      .where("id", "=", issuerId)
      .returning("iss")
      .executeTakeFirst();
    if (deleted === undefined) {
      return false;
    }
    await announceChange(trx, { kind: "issuer", key: deleted.iss });
    return true;
  });
}

/** No issuer speaks for the tenant any more: its own ones go, and shared ones name it no longer. */
export async function dropIssuersOfTenant(
  trx: DatabaseTransaction,
  tenantId: string,
): Promise<void> {
  const own = await trx
    .deleteFrom("issuer")
    .where("tenant_id", "=", tenantId)
    .returning("iss")
    .execute();
  const shared = await trx
    .updateTable("issuer")
    .set({ tenant_ids: sql`array_remove(tenant_ids, ${tenantId})` })
    .where(sql<boolean>`${tenantId} = any (tenant_ids)`)
    .returning("iss")
    .execute();
  for (const { iss } of [...own, ...shared]) {
    await announceChange(trx, { kind: "issuer", key: iss });
  }
}
