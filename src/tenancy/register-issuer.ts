import { type FieldError, InvalidRequest } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { Database } from "../store/database.ts";
import { insertIssuerAsPartner, type IssuerRow } from "./issuers.ts";

export type RegisterIssuer = (wish: Schemas["IssuerCreate"]) => Promise<IssuerRow>;

/** `url` is our PUBLIC_URL, the one `iss` that nobody else may speak for. */
export function createRegisterIssuer(options: {
  db: Database;
  outbound: Pick<OutboundAgent, "checkUrl">;
  url: string;
}): RegisterIssuer {
  const { db, outbound, url } = options;

  async function brokenUrlRules(jwksUrl: string): Promise<FieldError[]> {
    const broken = await outbound.checkUrl(jwksUrl);
    return broken.map(({ code, detail }) => ({ code, pointer: "/jwks_url", detail }));
  }

  return async (wish) => {
    const errors = [
      ...ownIss(wish.iss, url),
      ...tenantChoice(wish),
      ...(await brokenUrlRules(wish.jwks_url)),
    ];
    if (errors.length > 0) {
      throw new InvalidRequest(errors);
    }
    return insertIssuerAsPartner(db, {
      iss: wish.iss,
      audience: wish.audience,
      jwks_url: wish.jwks_url,
      algorithms: wish.algorithms,
      scopes: wish.scopes,
      tenant_id: wish.tenant_id ?? null,
      tenant_claim: wish.tenant_claim ?? null,
      tenant_ids: wish.tenant_ids ?? null,
    });
  };
}

/** A slash more or other letters' case would only be there to be taken for ours. */
function ownIss(iss: string, url: string): FieldError[] {
  const detail = "This is the gateway's own iss.";
  return plain(iss) === plain(url) ? [{ code: "issuer_own", pointer: "/iss", detail }] : [];
}

function plain(iss: string): string {
  return iss.toLowerCase().replace(/\/+$/, "");
}

/** One tenant whatever the tokens claim, or a claim and what it may say: never a bit of both. */
function tenantChoice({
  tenant_id,
  tenant_claim,
  tenant_ids,
}: Schemas["IssuerCreate"]): FieldError[] {
  const byClaim = tenant_claim !== undefined && tenant_ids !== undefined;
  const byNeither = tenant_claim === undefined && tenant_ids === undefined;
  const isOne = tenant_id === undefined ? byClaim : byNeither;
  const detail = "Name tenant_id, or in its place tenant_claim and tenant_ids.";
  return isOne ? [] : [{ code: "tenant_choice", pointer: "/tenant_id", detail }];
}
