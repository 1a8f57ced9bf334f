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

export function createEndpointSecrets(sealer: Sealer): EndpointSecrets {
  return {
    sealSigningSecret: (endpoint, secret) =>
      sealer.seal(secret, context("signing_secret", endpoint)),
    openSigningSecret: (endpoint, sealed) =>
      sealer.open(sealed, context("signing_secret", endpoint)),
    sealHeaders: (endpoint, headers) =>
      Object.keys(headers).length === 0
        ? null
        : sealer.seal(new Secret(JSON.stringify(headers)), context("endpoint_headers", endpoint)),
    openHeaders: (endpoint, sealed) =>
      sealed === null
        ? {}
        : (JSON.parse(
            sealer.open(sealed, context("endpoint_headers", endpoint)).reveal(),
          ) as Record<string, string>),
  };
}

function context(
  purpose: "signing_secret" | "endpoint_headers",
  endpoint: EndpointKey,
): SealContext {
  return { purpose, rowId: endpoint.id, tenantId: endpoint.tenant_id };
}
