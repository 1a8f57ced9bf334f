import { sql } from "kysely";
import { type FieldError, InvalidRequest } from "../errors.ts";
import type { DatabaseTransaction } from "../store/database.ts";
import { brokenHeaderRules, duplicateRule } from "./check-endpoint.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { activateEndpoint, forgetFailures } from "./endpoint-state.ts";
import {
  ENDPOINT_DEFAULTS,
  insertEndpoint,
  updateEndpoint,
  type WebhookEndpointRow,
} from "./endpoints.ts";

/** As 360dialog writes and reads them (its page on webhooks): `{ url, headers }`. */
export type Settings = { url: string; headers: Record<string, string> };

/** With the rules that its URL breaks: they are found out before a transaction begins. */
export type CheckedSettings = Settings & { urlErrors: FieldError[] };

/** Which of 360dialog's webhooks it stands for; a name is of the number's further ones. */
export type DropInPlace = { phoneNumberId: string; name: string | null } | { wabaId: string };

const HIDDEN_VALUE = "***";

/** Header values are write-only, as in our own API. */
export function readSettings(endpoint: WebhookEndpointRow): Settings {
  const headers = endpoint.header_names.map((name) => [name, HIDDEN_VALUE] as const);
  return { url: endpoint.url, headers: Object.fromEntries(headers) };
}

export async function findDropIn(
  db: Pick<DatabaseTransaction, "selectFrom">,
  tenantId: string,
  place: DropInPlace,
): Promise<WebhookEndpointRow | undefined> {
  const query = db
    .selectFrom("webhook_endpoint")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("managed_by", "=", "drop_in");
  return "wabaId" in place
    ? query.where(sql<boolean>`waba_ids = array[${place.wabaId}]`).executeTakeFirst()
    : query
        .where(sql<boolean>`phone_number_ids = array[${place.phoneNumberId}]`)
        .where(sql<boolean>`name is not distinct from ${place.name}`)
        .executeTakeFirst();
}

/** Creates the endpoint, or replaces its URL and headers. */
export type SetDropIn = (
  trx: DatabaseTransaction,
  tenantId: string,
  options: { place: DropInPlace; settings: CheckedSettings },
) => Promise<void>;

/** The promise of what it makes throws {InvalidRequest} for each rule that is broken. */
export function createSetDropIn(parts: { endpointSecrets: EndpointSecrets }): SetDropIn {
  const { endpointSecrets } = parts;

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

  return async (trx, tenantId, { place, settings }) => {
    const { url } = settings;
    const old = await findDropIn(trx, tenantId, place);
    const headers = old === undefined ? settings.headers : unhidden(settings.headers, old);
    const phoneNumberIds = "wabaId" in place ? null : [place.phoneNumberId];
    const others = { url, phoneNumberIds, except: old?.id ?? "" };
    const errors = [
      ...settings.urlErrors,
      ...brokenHeaderRules(headers),
      ...(await duplicateRule(trx, tenantId, others)),
    ];
    if (errors.length > 0) {
      throw new InvalidRequest(errors);
    }
    if (old === undefined) {
      await insertEndpoint(trx, tenantId, {
        wish: {
          ...ENDPOINT_DEFAULTS,
          url,
          headers,
          name: "wabaId" in place ? null : place.name,
          phone_number_ids: phoneNumberIds,
          waba_ids: "wabaId" in place ? [place.wabaId] : null,
          managed_by: "drop_in",
        },
        endpointSecrets,
      });
      return;
    }
    const changes = { url, headers };
    const of = { endpointId: old.id, changes, endpointSecrets };
    await forgetFailures(trx, await updateEndpoint(trx, tenantId, of));
    // Setting it again is how a 360dialog client says "it is up again".
    await activateEndpoint(trx, tenantId, old.id);
  };
}
