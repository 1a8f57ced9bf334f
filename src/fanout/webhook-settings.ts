import { sql } from "kysely";
import { InvalidRequest, NotFound } from "../errors.ts";
import type { Database } from "../store/database.ts";
import { brokenEndpointRules, duplicateRule, type UrlRules } from "./check-endpoint.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { ENDPOINT_DEFAULTS } from "./endpoint-routes.ts";
import { changeEndpoints, insertEndpoint, type WebhookEndpointRow } from "./endpoints.ts";

/** As 360dialog writes and reads them (its page on webhooks): `{ url, headers }`. */
export type Settings = { url: string; headers: Record<string, string> };

/** The drop-in form of a number's one endpoint (contract, section 4). */
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
      const { url, headers } = settings;
      const broken = brokenEndpointRules(settings, rules);
      await changeEndpoints(db, tenantId, async (trx) => {
        const old = await findDropIn(trx, tenantId, phoneNumberId);
        const numbers = { phoneNumberIds: [phoneNumberId], except: old?.id ?? "" };
        const errors = [...broken, ...(await duplicateRule(trx, tenantId, { url, ...numbers }))];
        if (errors.length > 0) {
          throw new InvalidRequest(errors);
        }
        if (old === undefined) {
          const phone_number_ids = [phoneNumberId];
          const wish = { ...ENDPOINT_DEFAULTS, ...settings, phone_number_ids };
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
          })
          .where("id", "=", old.id)
          .execute();
      });
      return { url, headers };
    },
  };
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
