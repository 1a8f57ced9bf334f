import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "../../secret.ts";

/** What a link's `state` says; it goes through 360dialog's pages and the customer's browser. */
export type LinkState = { linkId: string; tenantId: string };

const PURPOSE = "onboarding-link";

/** Signed with the platform secret, so that nobody else can make one or turn it to another tenant. */
export function signState({ linkId, tenantId }: LinkState, platformSecret: Secret): string {
  const text = `${linkId}.${tenantId}`;
  return `${text}.${signatureOf(text, platformSecret).toString("base64url")}`;
}

/** `undefined` for what we have not signed. */
export function readState(state: string, platformSecret: Secret): LinkState | undefined {
  const [linkId, tenantId, signature, ...more] = state.split(".");
  if (!linkId || !tenantId || !signature || more.length > 0) {
    return undefined;
  }
  const expected = signatureOf(`${linkId}.${tenantId}`, platformSecret);
  const given = Buffer.from(signature, "base64url");
  return given.length === expected.length && timingSafeEqual(given, expected)
    ? { linkId, tenantId }
    : undefined;
}

function signatureOf(text: string, platformSecret: Secret): Buffer {
  return createHmac("sha256", platformSecret.reveal()).update(`${PURPOSE}:${text}`).digest();
}
