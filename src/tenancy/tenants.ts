import { type Selectable, sql } from "kysely";
import { ApiError } from "../errors.ts";
import { newId } from "../ids.ts";
import { announceChange } from "../store/change-feed.ts";
import {
  brokenUniqueConstraint,
  type Database,
  type DatabaseTransaction,
} from "../store/database.ts";
import type { TenantTable } from "../store/schema/tenancy.ts";
import { dropIssuersOfTenant } from "./issuers.ts";
import { changedGuards, type GuardsWish } from "./guard-settings.ts";

export type TenantRow = Selectable<TenantTable>;

/** @throws {ApiError} `external_id_taken` */
export async function createTenant(
  db: Database,
  fields: { name: string; external_id?: string | null | undefined },
): Promise<TenantRow> {
  return refuseTakenExternalId(
    db
      .insertInto("tenant")
      .values({ id: newId("ten"), name: fields.name, external_id: fields.external_id ?? null })
      .returningAll()
      .executeTakeFirstOrThrow(),
  );
}

/** Asked of the row as it is while it is locked; throws where it must not be changed. */
export type CheckTenant = (row: TenantRow | undefined) => void;

/** The tenant with this external id, renamed, or a new one. Safe to repeat. */
export async function upsertTenant(
  db: Database,
  fields: { name: string; external_id: string },
  check?: CheckTenant,
): Promise<{ tenant: TenantRow; created: boolean }> {
  const id = newId("ten");
  const tenant = await db.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom("tenant")
      .selectAll()
      .where("external_id", "=", fields.external_id)
      .forUpdate()
      .executeTakeFirst();
    check?.(before);
    return trx
      .insertInto("tenant")
      .values({ id, ...fields })
      .onConflict((conflict) => conflict.column("external_id").doUpdateSet({ name: fields.name }))
      .returningAll()
      .executeTakeFirstOrThrow();
  });
  return { tenant, created: tenant.id === id };
}

export async function findTenant(db: Database, tenantId: string): Promise<TenantRow | undefined> {
  return db.selectFrom("tenant").selectAll().where("id", "=", tenantId).executeTakeFirst();
}

export async function listTenants(
  db: Database,
  page: { limit: number; after: string[] | undefined; externalId?: string | undefined },
): Promise<TenantRow[]> {
  return db
    .selectFrom("tenant")
    .selectAll()
    .$if(page.externalId !== undefined, (q) => q.where("external_id", "=", page.externalId ?? ""))
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

/** @throws {ApiError} `external_id_taken` */
export async function updateTenant(
  db: Database,
  tenantId: string,
  fields: {
    name?: string;
    external_id?: string | null;
    guards?: GuardsWish;
  },
  check?: CheckTenant,
): Promise<TenantRow | undefined> {
  const { guards, ...columns } = fields;
  return refuseTakenExternalId(
    db.transaction().execute(async (trx) => {
      const before = await lockTenant(trx, tenantId);
      if (before === undefined) {
        return undefined;
      }
      check?.(before);
      if (Object.keys(fields).length === 0) {
        return before;
      }
      const row = await trx
        .updateTable("tenant")
        .set({
          ...columns,
          ...(guards && { guards: JSON.stringify(changedGuards(before.guards, guards)) }),
        })
        .where("id", "=", tenantId)
        .returningAll()
        .executeTakeFirst();
      await announceChange(trx, { kind: "tenant", key: tenantId });
      return row;
    }),
  );
}

/** In a transaction of the caller's, for what must change with it. `undefined` where there is none. */
export async function setTenantState(
  trx: DatabaseTransaction,
  tenantId: string,
  state: TenantRow["state"],
): Promise<TenantRow | undefined> {
  await lockTenant(trx, tenantId);
  const row = await trx
    .updateTable("tenant")
    .set({ state })
    .where("id", "=", tenantId)
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined) {
    await announceChange(trx, { kind: "tenant", key: tenantId });
  }
  return row;
}

async function lockTenant(
  trx: DatabaseTransaction,
  tenantId: string,
): Promise<TenantRow | undefined> {
  return trx
    .selectFrom("tenant")
    .selectAll()
    .where("id", "=", tenantId)
    .forUpdate()
    .executeTakeFirst();
}

const TABLES_OF_TENANT = [
  "attempt",
  "delivery",
  "delivery_finished",
  "deleted_endpoint",
  "event",
  "idempotency_key",
  "ledger",
  "ledger_drift",
  "message",
  "message_status",
  "media_id",
  "traffic",
  "usage",
  "usage_message",
] as const;

/**
 * Erases the tenant and all that is its own: numbers, clients and their tokens, issuers, endpoints,
 * events, deliveries, messages.
 */
export async function deleteTenant(
  db: Database,
  tenantId: string,
  check?: CheckTenant,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const before = await lockTenant(trx, tenantId);
    if (before === undefined) {
      return false;
    }
    check?.(before);
    // A large tenant takes longer than a call may wait.
    await sql`set local statement_timeout = 0`.execute(trx);
    await announceOwned(trx, tenantId);
    await dropIssuersOfTenant(trx, tenantId);
    await eraseAtPartner(trx, tenantId);
    for (const table of TABLES_OF_TENANT) {
      await trx.deleteFrom(table).where("tenant_id", "=", tenantId).execute();
    }
    await trx.deleteFrom("tenant").where("id", "=", tenantId).execute();
    await announceChange(trx, { kind: "tenant", key: tenantId });
    return true;
  });
}

/** What the partner has of the tenant beside the tenant's own rows: 360dialog's events, and imports. */
async function eraseAtPartner(trx: DatabaseTransaction, tenantId: string): Promise<void> {
  await sql`
    delete from partner_event e using phone_number n
    where n.tenant_id = ${tenantId}
      and (e.channel_id = n.channel_id or e.hub_client_id = n.hub_client_id
        and e.channel_id is null)`.execute(trx);
  await sql`
    delete from import_row r
    where r.number_id in (select id from phone_number where tenant_id = ${tenantId})
      or r.tenant_external_id = (select external_id from tenant where id = ${tenantId})`.execute(
    trx,
  );
}

/** What goes with the tenant by cascade is remembered elsewhere under keys of its own. */
async function announceOwned(trx: DatabaseTransaction, tenantId: string): Promise<void> {
  const numbers = await trx
    .selectFrom("phone_number")
    .select("id")
    .where("tenant_id", "=", tenantId)
    .execute();
  const clients = await trx
    .selectFrom("client")
    .select("id")
    .where("tenant_id", "=", tenantId)
    .execute();
  for (const { id } of numbers) {
    await announceChange(trx, { kind: "hook", key: id });
  }
  for (const { id } of clients) {
    await announceChange(trx, { kind: "client", key: id });
  }
}

async function refuseTakenExternalId<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (brokenUniqueConstraint(error) === "tenant_external_id_key") {
      throw new ApiError("external_id_taken", "Another tenant has this external_id.", {
        cause: error,
      });
    }
    throw error;
  }
}
