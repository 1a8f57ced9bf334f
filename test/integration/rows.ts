import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Updateable } from "kysely";
import { createEndpointSecrets } from "../../src/fanout/endpoint-secrets.ts";
import {
  changeEndpoints,
  ENDPOINT_DEFAULTS,
  type EndpointWish,
  insertEndpoint,
  type WebhookEndpointRow,
} from "../../src/fanout/endpoints.ts";
import type { NewEvent, NewNotification } from "../../src/events/write-notifications.ts";
import { newId } from "../../src/ids.ts";
import { insertNumber, type NumberFields } from "../../src/partner/numbers.ts";
import { Secret } from "../../src/secret.ts";
import type { Database } from "../../src/store/database.ts";
import type { WebhookEndpointTable } from "../../src/store/schema/fanout.ts";
import type { PhoneNumberRow } from "../../src/tenancy/phone-numbers.ts";
import { createSealer } from "../../src/tenancy/sealing.ts";
import { createTenant, type TenantRow } from "../../src/tenancy/tenants.ts";

export const sealer = createSealer([
  { id: "test", key: new Secret(randomBytes(32).toString("base64")) },
]);
export const endpointSecrets = createEndpointSecrets(sealer);

export async function buildTenant(db: Database): Promise<TenantRow> {
  return createTenant(db, { name: "Acme" });
}

export async function buildNumber(
  db: Database,
  tenantId: string,
  fields: NumberFields = {},
): Promise<PhoneNumberRow> {
  const phoneNumberId = String(randomBytes(6).readUIntBE(0, 6));
  const apiKey = new Secret("an API key of 360dialog");
  return insertNumber(db, tenantId, { phoneNumberId, fields, apiKey, sealer });
}

export async function buildEndpoint(
  db: Database,
  tenantId: string,
  fields: Partial<EndpointWish> = {},
  condition: Updateable<WebhookEndpointTable> = {},
): Promise<WebhookEndpointRow> {
  const url = `https://receiver.example/${randomUUID()}`;
  const { endpoint } = await changeEndpoints(db, tenantId, (trx) =>
    insertEndpoint(trx, tenantId, {
      wish: { ...ENDPOINT_DEFAULTS, url, managed_by: "api", ...fields },
      endpointSecrets,
    }),
  );
  return Object.keys(condition).length === 0
    ? endpoint
    : db
        .updateTable("webhook_endpoint")
        .set(condition)
        .where("id", "=", endpoint.id)
        .returningAll()
        .executeTakeFirstOrThrow();
}

/** A row in each table of what is known of users, templates and usage. */
export async function buildKnown(db: Database, tenantId: string): Promise<void> {
  const now = new Date();
  const user = { tenant_id: tenantId, phone_number_id: "1", user_id: "15550002222" };
  const waba = { tenant_id: tenantId, waba_id: "1" };
  const optIn = { ...user, source: "form", obtained_at: now, proof: "1" };
  const template = { ...waba, name: "news", language: "en", changed_at: now };
  await db
    .insertInto("customer_service_window")
    .values({ ...user, last_inbound_at: now })
    .execute();
  await db
    .insertInto("marketing_preference")
    .values({ ...user, stopped_at: now })
    .execute();
  await db.insertInto("opt_in").values(optIn).execute();
  await db.insertInto("template").values(template).execute();
  await db.insertInto("template_sync").values(waba).execute();
  const counted = { tenant_id: tenantId, phone_number_id: "1", country: "DE" } as const;
  const outbound = { ...counted, direction: "outbound", billable: true } as const;
  await db
    .insertInto("usage")
    .values({ ...outbound, day: "2026-01-31", category: "utility", messages: "1" })
    .execute();
  await db
    .insertInto("usage_message")
    .values({ ...outbound, message_key: identity("message"), price_rank: 0 })
    .execute();
}

export function event(tenantId: string, fields: Partial<NewEvent> = {}): NewEvent {
  return {
    tenantId,
    type: "message.received",
    phoneNumberId: null,
    wabaId: null,
    identity: identity(randomUUID()),
    conversation: null,
    body: Buffer.from("{}"),
    ...fields,
  };
}

export function identity(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

export function notification(events: NewEvent[]): NewNotification {
  return {
    id: newId("ntf"),
    numberId: null,
    bodySha256: identity("body"),
    bodyBytes: 2,
    events,
  };
}
