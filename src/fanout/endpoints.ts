import { type Selectable, sql } from "kysely";
import { NO_TENANT } from "../events/no-tenant.ts";
import { ApiError, NotFound } from "../errors.ts";
import { toLikePattern } from "../events/read-events.ts";
import { newId } from "../ids.ts";
import type { Secret } from "../secret.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import type { WebhookEndpointFormat, WebhookEndpointTable } from "../store/schema/fanout.ts";
import { MOVED_COLUMNS } from "./endpoint-state.ts";
import { type EndpointSecrets, newSigningSecret } from "./endpoint-secrets.ts";

export type WebhookEndpointRow = Selectable<WebhookEndpointTable>;

/** What its owner chooses; `null` in a list means all. */
export type EndpointWish = {
  url: string;
  description: string | null;
  name: string | null;
  event_types: string[] | null;
  phone_number_ids: string[] | null;
  waba_ids: string[] | null;
  headers: Record<string, string>;
  format: WebhookEndpointFormat;
  timeout_seconds: number;
  max_in_flight: number;
  ordering: WebhookEndpointRow["ordering"];
  rate_per_second: number | null;
  /** What its URL is proved by, also when it changes. */
  verify_token: Secret | null;
  managed_by: WebhookEndpointRow["managed_by"];
};

/** What a tenant wants changed; what is left out stays. */
export type EndpointChanges = Partial<Omit<EndpointWish, "name" | "managed_by">>;

/** What a tenant need not say of an endpoint. */
export const ENDPOINT_DEFAULTS = {
  description: null,
  name: null,
  event_types: null,
  phone_number_ids: null,
  waba_ids: null,
  headers: {},
  format: "cloud_api",
  timeout_seconds: 10,
  max_in_flight: 10,
  ordering: "none",
  rate_per_second: null,
  verify_token: null,
} as const satisfies Omit<EndpointWish, "url" | "managed_by">;

/**
 * Writes an owner's endpoints one after the other, so that what was checked of the others (a URL is
 * unique for a number) still holds when the new one is written.
 */
export async function changeEndpoints<T>(
  db: Database,
  tenantId: string,
  change: (trx: DatabaseTransaction) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (trx) => {
    if (tenantId === NO_TENANT) {
      // The partner has no row that could be locked.
      await sql`select pg_advisory_xact_lock(hashtext('partner_endpoints'))`.execute(trx);
      return change(trx);
    }
    const tenant = await trx
      .selectFrom("tenant")
      .select("state")
      .where("id", "=", tenantId)
      .forUpdate()
      .executeTakeFirst();
    // A call that began before the suspension must not make an endpoint that is not stopped by it.
    if (tenant?.state === "suspended") {
      throw new ApiError("tenant_suspended", "The partner has suspended this tenant.");
    }
    return change(trx);
  });
}

export async function insertEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  options: { wish: EndpointWish; endpointSecrets: EndpointSecrets },
): Promise<{ endpoint: WebhookEndpointRow; signingSecret: Secret }> {
  const { endpointSecrets } = options;
  const { headers, verify_token, ...wish } = options.wish;
  const key = { id: newId("whe"), tenant_id: tenantId };
  const signingSecret = newSigningSecret();
  const endpoint = await trx
    .insertInto("webhook_endpoint")
    .values({
      ...key,
      ...wish,
      event_type_patterns: wish.event_types?.map(toLikePattern) ?? null,
      headers_sealed: endpointSecrets.sealHeaders(key, headers),
      header_names: Object.keys(headers),
      signing_secret_sealed: endpointSecrets.sealSigningSecret(key, signingSecret),
      verify_token_sealed: verify_token && endpointSecrets.sealVerifyToken(key, verify_token),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { endpoint, signingSecret };
}

/** @throws {NotFound} */
export async function updateEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  options: { endpointId: string; changes: EndpointChanges; endpointSecrets: EndpointSecrets },
): Promise<WebhookEndpointRow> {
  const { endpointId, endpointSecrets } = options;
  const { headers, verify_token, event_types, ...plain } = options.changes;
  const key = { id: endpointId, tenant_id: tenantId };
  const columns = {
    ...plain,
    ...(event_types !== undefined && {
      event_types,
      event_type_patterns: event_types?.map(toLikePattern) ?? null,
    }),
    ...(headers !== undefined && {
      headers_sealed: endpointSecrets.sealHeaders(key, headers),
      header_names: Object.keys(headers),
    }),
    ...(verify_token !== undefined && {
      verify_token_sealed: verify_token && endpointSecrets.sealVerifyToken(key, verify_token),
    }),
  };
  if (Object.keys(columns).length === 0) {
    return getEndpoint(trx, tenantId, { endpointId, among: null });
  }
  const row = await trx
    .updateTable("webhook_endpoint")
    .set(columns)
    .where("tenant_id", "=", tenantId)
    .where("id", "=", endpointId)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    throw new NotFound();
  }
  return row;
}

/** Another of the tenant's endpoints with this URL whose numbers overlap with these. */
export async function findDuplicateEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  options: { url: string; phoneNumberIds: string[] | null; except?: string | undefined },
): Promise<WebhookEndpointRow | undefined> {
  const { url, phoneNumberIds, except = "" } = options;
  const overlaps = sql<boolean>`(
    phone_number_ids is null or ${phoneNumberIds}::text[] is null
    or phone_number_ids && ${phoneNumberIds}::text[])`;
  return trx
    .selectFrom("webhook_endpoint")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("url", "=", url)
    .where("id", "!=", except)
    .where(overlaps)
    .executeTakeFirst();
}

/** A token limited to some numbers sees the endpoints that are wholly of those. */
function visibleTo(among: readonly string[] | null) {
  return among === null
    ? sql<boolean>`true`
    : sql<boolean>`coalesce(phone_number_ids <@ ${[...among]}::text[], false)`;
}

export async function listEndpoints(
  db: Database,
  tenantId: string,
  page: { limit: number; after: string[] | undefined; among: readonly string[] | null },
): Promise<WebhookEndpointRow[]> {
  return db
    .selectFrom("webhook_endpoint")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where(visibleTo(page.among))
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

/** @throws {NotFound} */
export async function getEndpoint(
  db: Database,
  tenantId: string,
  options: { endpointId: string; among: readonly string[] | null },
): Promise<WebhookEndpointRow> {
  const row = await db
    .selectFrom("webhook_endpoint")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("id", "=", options.endpointId)
    .where(visibleTo(options.among))
    .executeTakeFirst();
  if (row === undefined) {
    throw new NotFound();
  }
  return row;
}

/** As `getEndpoint`, and until the transaction ends nobody else changes it. @throws {NotFound} */
export async function lockEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  options: { endpointId: string; among: readonly string[] | null },
): Promise<WebhookEndpointRow> {
  await trx
    .selectFrom("webhook_endpoint")
    .select("id")
    .where("tenant_id", "=", tenantId)
    .where("id", "=", options.endpointId)
    .forNoKeyUpdate()
    .execute();
  return getEndpoint(trx, tenantId, options);
}

/** @throws {NotFound}, and what `check` throws of the row that is about to go */
export async function deleteEndpoint(
  db: Database,
  tenantId: string,
  options: {
    endpointId: string;
    among: readonly string[] | null;
    check?: (row: WebhookEndpointRow) => void;
  },
): Promise<void> {
  await changeEndpoints(db, tenantId, async (trx) => {
    const row = await lockEndpoint(trx, tenantId, options);
    options.check?.(row);
    await removeEndpoint(trx, tenantId, options.endpointId);
  });
}

/** What still waited for it is `cancelled`: listed, never sent. */
export async function removeEndpoint(
  trx: DatabaseTransaction,
  tenantId: string,
  endpointId: string,
): Promise<void> {
  // Its name is remembered for the ledger, which counts what it was owed.
  await sql`
    with gone as (
      delete from webhook_endpoint where tenant_id = ${tenantId} and id = ${endpointId}
      returning id, tenant_id, serial, created_at)
    insert into deleted_endpoint (endpoint_id, tenant_id, serial, created_at)
    select id, tenant_id, serial, created_at from gone`.execute(trx);
  await sql`
    with cancelled as (
      delete from delivery where tenant_id = ${tenantId} and endpoint_id = ${endpointId}
      returning ${MOVED_COLUMNS})
    insert into delivery_finished (${MOVED_COLUMNS}, state)
    select *, 'cancelled' from cancelled`.execute(trx);
}
