import { randomBytes } from "node:crypto";
import { Secret } from "../secret.ts";
import type { SealContext, Sealer } from "../tenancy/sealing.ts";

type EndpointKey = { id: string; tenant_id: string };

const SIGNING_SECRET_BYTES = 32;

/** A new signing secret in Standard Webhooks' form: `whsec_` and 32 random bytes in base64. */
export function newSigningSecret(): Secret {
  return new Secret(`whsec_${randomBytes(SIGNING_SECRET_BYTES).toString("base64")}`);
}

/** An endpoint's two secrets at rest: what signs its deliveries and the values of its headers. */
export type EndpointSecrets = {
  sealSigningSecret(endpoint: EndpointKey, secret: Secret): Buffer;
  openSigningSecret(endpoint: EndpointKey, sealed: Buffer): Secret;
  sealHeaders(endpoint: EndpointKey, headers: Record<string, string>): Buffer | null;
  openHeaders(endpoint: EndpointKey, sealed: Buffer | null): Record<string, string>;
};

// To open a secret costs as much as to sign with it, and an endpoint is signed for again and again.
const OPENED_MAX = 10_000;

export function createEndpointSecrets(sealer: Sealer): EndpointSecrets {
  /** By where it belongs and what is sealed: moved to another row it does not open. */
  const opened = new Map<string, Secret>();

  function open(sealed: Buffer, sealContext: SealContext): Secret {
    const { purpose, rowId, tenantId } = sealContext;
    const key = `${purpose} ${rowId} ${tenantId} ${sealed.toString("latin1")}`;
    const known = opened.get(key);
    if (known !== undefined) {
      return known;
    }
    const secret = sealer.open(sealed, sealContext);
    if (opened.size >= OPENED_MAX) {
      opened.clear();
    }
    opened.set(key, secret);
    return secret;
  }

  return {
    sealSigningSecret: (endpoint, secret) =>
      sealer.seal(secret, context("signing_secret", endpoint)),
    openSigningSecret: (endpoint, sealed) => open(sealed, context("signing_secret", endpoint)),
    sealHeaders: (endpoint, headers) =>
      Object.keys(headers).length === 0
        ? null
        : sealer.seal(new Secret(JSON.stringify(headers)), context("endpoint_headers", endpoint)),
    openHeaders: (endpoint, sealed) =>
      sealed === null
        ? {}
        : (JSON.parse(open(sealed, context("endpoint_headers", endpoint)).reveal()) as Record<
            string,
            string
          >),
  };
}

function context(
  purpose: "signing_secret" | "endpoint_headers",
  endpoint: EndpointKey,
): SealContext {
  return { purpose, rowId: endpoint.id, tenantId: endpoint.tenant_id };
}
