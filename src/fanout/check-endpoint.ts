import { type FieldError, InvalidRequest } from "../errors.ts";
import type { AllowList } from "../outbound/allow-list.ts";
import { checkHeaders } from "../outbound/header-rules.ts";
import { checkEndpointUrl } from "../outbound/url-rules.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { checkOwnNumbers } from "../tenancy/check-own-numbers.ts";
import type { EndpointWish } from "./endpoints.ts";
import { findDuplicateEndpoint } from "./endpoints.ts";

export type UrlRules = { allowList: AllowList; ownHosts: readonly string[] };

/** Every rule that a URL and its headers break; none needs a look at the network. */
export function brokenEndpointRules(
  wish: Pick<EndpointWish, "url" | "headers">,
  rules: UrlRules,
): FieldError[] {
  const urlErrors = checkEndpointUrl(wish.url, rules).map(({ code, detail }) => ({
    code,
    pointer: "/url",
    detail,
  }));
  const headerErrors = checkHeaders(wish.headers).map(({ code, name, detail }) => ({
    code,
    pointer: `/headers/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    detail,
  }));
  return [...urlErrors, ...headerErrors];
}

/**
 * An endpoint may name only the tenant's numbers, and with a token limited to some numbers it must
 * name some of those: an endpoint for the whole account is then refused.
 * @throws {InvalidRequest}
 */
export async function checkNamedNumbers(
  db: Database,
  tenantId: string,
  options: { phoneNumberIds: string[] | null; among: readonly string[] | null },
): Promise<void> {
  const { phoneNumberIds, among } = options;
  if (phoneNumberIds === null) {
    if (among !== null) {
      const detail = "This token is limited to some numbers; name them in phone_number_ids.";
      throw new InvalidRequest([{ code: "whole_account", pointer: "/phone_number_ids", detail }]);
    }
    return;
  }
  await checkOwnNumbers(db, tenantId, { phoneNumberIds, among });
}

/** A URL is unique for a number. */
export async function duplicateRule(
  trx: DatabaseTransaction,
  tenantId: string,
  options: { url: string; phoneNumberIds: string[] | null; except?: string },
): Promise<FieldError[]> {
  const duplicate = await findDuplicateEndpoint(trx, tenantId, options);
  return duplicate === undefined
    ? []
    : [
        {
          code: "url_duplicate",
          pointer: "/url",
          detail: `Endpoint ${duplicate.id} has this URL for the same number.`,
        },
      ];
}
