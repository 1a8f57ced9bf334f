import type { FieldError } from "../errors.ts";
import { NO_TENANT } from "../events/no-tenant.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import { checkHeaders } from "../outbound/header-rules.ts";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import { unknownNumbers, unknownNumbersAsPartner } from "../tenancy/check-own-numbers.ts";
import { findDuplicateEndpoint } from "./endpoints.ts";
import type { EndpointOwner } from "./owner-route.ts";

/** Every rule that a URL breaks. Its host is looked up, so: never in a transaction. */
export async function brokenUrlRules(
  url: string,
  outbound: Pick<OutboundAgent, "checkUrl">,
): Promise<FieldError[]> {
  const broken = await outbound.checkUrl(url);
  return broken.map(({ code, detail }) => ({ code, pointer: "/url", detail }));
}

export function brokenHeaderRules(headers: Record<string, string>): FieldError[] {
  return checkHeaders(headers).map(({ code, name, detail }) => ({
    code,
    pointer: `/headers/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    detail,
  }));
}

/**
 * An endpoint may name only the tenant's numbers (the partner's, any tenant's), and with a token limited to some numbers it must
 * name some of those: an endpoint for the whole account is then refused.
 */
export async function brokenNumberRules(
  db: Database,
  caller: EndpointOwner,
  phoneNumberIds: string[] | null,
): Promise<FieldError[]> {
  const { tenantId, phoneNumberIds: among } = caller;
  if (phoneNumberIds !== null) {
    return tenantId === NO_TENANT
      ? unknownNumbersAsPartner(db, phoneNumberIds)
      : unknownNumbers(db, tenantId, { phoneNumberIds, among });
  }
  const detail = "This token is limited to some numbers; name them in phone_number_ids.";
  return among === null ? [] : [{ code: "whole_account", pointer: "/phone_number_ids", detail }];
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
