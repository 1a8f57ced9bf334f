import { sql } from "kysely";
import { InvalidRequest, NotFound } from "../errors.ts";
import type { Database } from "../store/database.ts";
import { brokenEndpointRules, duplicateRule, type UrlRules } from "./check-endpoint.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { releaseHeld } from "./endpoint-state.ts";
import { ENDPOINT_DEFAULTS } from "./endpoint-routes.ts";
import { changeEndpoints, insertEndpoint, type WebhookEndpointRow } from "./endpoints.ts";

/** As 360dialog writes and reads them (its page on webhooks): `{ url, headers }`. */
export type Settings = { url: string; headers: Record<string, string> };

/** The drop-in form of a number's one endpoint. */
export type WebhookSettings = {
  /** Header values are write-only, as in our own API. @throws {NotFound} when nothing is set */
  get(tenantId: string, phoneNumberId: string): Promise<Settings>;
  /** Creates the endpoint, or replaces its URL and headers. @throws {InvalidRequest} */
  set(tenantId: string, phoneNumberId: string, settings: Settings): Promise<Settings>;
};

const HIDDEN_VALUE = "***";

export function createWebhookSettings(options: {
  db: Database;
  endpointSecrets: EndpointSecrets;
  rules: UrlRules;
}): WebhookSettings {
  const { db, endpointSecrets, rules } = options;
  return {
    async get(tenantId, phoneNumberId) {
      const endpoint = await findDropIn(db, tenantId, phoneNumberId);
      if (endpoint === undefined) {
        throw new NotFound();
      }
      const headers = endpoint.header_names.map((name) => [name, HIDDEN_VALUE] as const);
      return { url: endpoint.url, headers: Object.fromEntries(headers) };
    },

    async set(tenantId, phoneNumberId, settings) {
      const { url } = settings;
      await changeEndpoints(db, tenantId, async (trx) => {
        const old = await findDropIn(trx, tenantId, phoneNumberId);
        const headers = old === undefined ? settings.headers : unhidden(settings.headers, old);
        const broken = brokenEndpointRules({ url, headers }, rules);
        const numbers = { phoneNumberIds: [phoneNumberId], except: old?.id ?? "" };
        const errors = [...broken, ...(await duplicateRule(trx, tenantId, { url, ...numbers }))];
        if (errors.length > 0) {
          throw new InvalidRequest(errors);
        }
        if (old === undefined) {
          const phone_number_ids = [phoneNumberId];
          const wish = { ...ENDPOINT_DEFAULTS, url, headers, phone_number_ids };
          await insertEndpoint(trx, tenantId, {
            wish: { ...wish, managed_by: "drop_in" },
            endpointSecrets,
          });
          return;
        }
        const key = { id: old.id, tenant_id: tenantId };
        await trx
          .updateTable("webhook_endpoint")
          .set({
            url,
            header_names: Object.keys(headers),
            headers_sealed: endpointSecrets.sealHeaders(key, headers),
            // Setting it again is how a 360dialog client says "it is up again".
            state: "active",
          })
          .where("id", "=", old.id)
          .execute();
        await releaseHeld(trx, tenantId, old.id);
      });
      return settings;
    },
  };

  /** A client that posts back what it has read keeps the values that it could not read. */
  function unhidden(
    headers: Record<string, string>,
    old: WebhookEndpointRow,
  ): Record<string, string> {
    const key = { id: old.id, tenant_id: old.tenant_id };
    const known = endpointSecrets.openHeaders(key, old.headers_sealed);
    const entries = Object.entries(headers).map(([name, value]) => [
      name,
      value === HIDDEN_VALUE && Object.hasOwn(known, name) ? known[name] : value,
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  }
}

async function findDropIn(
  db: Database,
  tenantId: string,
  phoneNumberId: string,
): Promise<WebhookEndpointRow | undefined> {
  return db
    .selectFrom("webhook_endpoint")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("managed_by", "=", "drop_in")
    .where(sql<boolean>`phone_number_ids = array[${phoneNumberId}]`)
    .executeTakeFirst();
}
