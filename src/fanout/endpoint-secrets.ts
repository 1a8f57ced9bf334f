import { randomBytes } from "node:crypto";
import { Secret } from "../secret.ts";
import type { SealContext, Sealer } from "../tenancy/sealing.ts";

type EndpointKey = { id: string; tenant_id: string };

const SIGNING_SECRET_BYTES = 32;

/** A new signing secret in Standard Webhooks' form: `whsec_` and 32 random bytes in base64. */
export function newSigningSecret(): Secret {
  return new Secret(`whsec_${randomBytes(SIGNING_SECRET_BYTES).toString("base64")}`);
}

/** The newest first; the one before it while receivers change over. */
type SigningSecrets = readonly [newest: Secret, ...previous: Secret[]];

/** What a POST to an endpoint needs opened. */
export type OpenedSecrets = { headers: Record<string, string>; signingSecrets: SigningSecrets };

type SealedSecrets = EndpointKey & {
  headers_sealed: Buffer | null;
  signing_secret_sealed: Buffer;
  /** Null as soon as it no longer counts. */
  previous_signing_secret_sealed: Buffer | null;
};

/** An endpoint's secrets at rest: what signs its deliveries, its headers' values, what proves its URL. */
export type EndpointSecrets = {
  sealSigningSecret(endpoint: EndpointKey, secret: Secret): Buffer;
  sealHeaders(endpoint: EndpointKey, headers: Record<string, string>): Buffer | null;
  openHeaders(endpoint: EndpointKey, sealed: Buffer | null): Record<string, string>;
  sealVerifyToken(endpoint: EndpointKey, token: Secret): Buffer;
  openVerifyToken(endpoint: EndpointKey, sealed: Buffer): Secret;
  /** @throws {CannotOpen} */
  open(endpoint: SealedSecrets): OpenedSecrets;
  /** Of a whole row, whose previous secret may have had its time. @throws {CannotOpen} */
  openRow(
    row: SealedSecrets & { previous_signing_secret_until: Date | null },
    now: Date,
  ): OpenedSecrets;
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

  function openHeaders(endpoint: EndpointKey, sealed: Buffer | null): Record<string, string> {
    return sealed === null
      ? {}
      : (JSON.parse(open(sealed, context("endpoint_headers", endpoint)).reveal()) as Record<
          string,
          string
        >);
  }

  function openAll(endpoint: SealedSecrets): OpenedSecrets {
    const openSigningSecret = (sealed: Buffer): Secret =>
      open(sealed, context("signing_secret", endpoint));
    const previous = endpoint.previous_signing_secret_sealed;
    return {
      headers: openHeaders(endpoint, endpoint.headers_sealed),
      signingSecrets: [
        openSigningSecret(endpoint.signing_secret_sealed),
        ...(previous === null ? [] : [openSigningSecret(previous)]),
      ],
    };
  }

  return {
    sealSigningSecret: (endpoint, secret) =>
      sealer.seal(secret, context("signing_secret", endpoint)),
    sealHeaders: (endpoint, headers) =>
      Object.keys(headers).length === 0
        ? null
        : sealer.seal(new Secret(JSON.stringify(headers)), context("endpoint_headers", endpoint)),
    openHeaders,
    sealVerifyToken: (endpoint, token) => sealer.seal(token, context("verify_token", endpoint)),
    openVerifyToken: (endpoint, sealed) => sealer.open(sealed, context("verify_token", endpoint)),
    open: openAll,
    openRow(row, now) {
      const live = (row.previous_signing_secret_until ?? now) > now;
      const previous = live ? row.previous_signing_secret_sealed : null;
      return openAll({ ...row, previous_signing_secret_sealed: previous });
    },
  };
}

function context(
  purpose: "signing_secret" | "endpoint_headers" | "verify_token",
  endpoint: EndpointKey,
): SealContext {
  return { purpose, rowId: endpoint.id, tenantId: endpoint.tenant_id };
}
