import type { Database, DatabaseTransaction } from "../../store/database.ts";

type Reader = Database | DatabaseTransaction;

/**
 * The tenants that a client of 360dialog and these channels belong to already: by what it is bound to, and by
 * the numbers that are here, however they came.
 */
export async function findOwners(
  db: Reader,
  { hubClientId, channelIds }: { hubClientId: string; channelIds: readonly string[] },
): Promise<Set<string>> {
  const bound = await db
    .selectFrom("hub_client_binding")
    .select("tenant_id")
    .where("hub_client_id", "=", hubClientId)
    .execute();
  const having = await db
    .selectFrom("phone_number")
    .select("tenant_id")
    .distinct()
    .where((where) =>
      where.or([
        where("hub_client_id", "=", hubClientId),
        where("channel_id", "in", [...channelIds, ""]),
      ]),
    )
    .execute();
  return new Set([...bound, ...having].map((row) => row.tenant_id));
}

/** Binds a client to a tenant unless it is bound already. @returns whose it is now */
export async function bindClient(
  trx: DatabaseTransaction,
  binding: { hubClientId: string; tenantId: string; by: string },
): Promise<string> {
  const { hubClientId, tenantId, by } = binding;
  await trx
    .insertInto("hub_client_binding")
    .values({ hub_client_id: hubClientId, tenant_id: tenantId, bound_by: by })
    .onConflict((conflict) => conflict.column("hub_client_id").doNothing())
    .execute();
  const { tenant_id } = await trx
    .selectFrom("hub_client_binding")
    .select("tenant_id")
    .where("hub_client_id", "=", hubClientId)
    .executeTakeFirstOrThrow();
  return tenant_id;
}

/** Whose a client is by its binding. */
export async function findBinding(db: Reader, hubClientId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("hub_client_binding")
    .select("tenant_id")
    .where("hub_client_id", "=", hubClientId)
    .executeTakeFirst();
  return row?.tenant_id;
}
