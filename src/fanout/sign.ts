import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { Secret } from "../secret.ts";

const SECRET_PREFIX = "whsec_";

/**
 * The signatures of one attempt: Standard Webhooks 1.0 (`v1,…` for each live secret, over
 * `id.timestamp.body`, keyed by the secret's decoded bytes) and Meta's `X-Hub-Signature-256` (over
 * the same bytes, keyed by the newest secret's whole text), so that receivers of either kind check
 * what they already check.
 */
export function signatureHeaders(options: {
  deliveryId: string;
  timestampSeconds: number;
  body: Buffer;
  /** The newest first. */
  secrets: readonly [Secret, ...Secret[]];
}): Record<string, string> {
  const { deliveryId, timestampSeconds, body, secrets } = options;
  const signatures = secrets.map((secret) => {
    const signed = createHmac("sha256", keyOf(secret)).update(`${deliveryId}.${timestampSeconds}.`);
    return `v1,${signed.update(body).digest("base64")}`;
  });
  const meta = createHmac("sha256", secrets[0].reveal()).update(body).digest("hex");
  return {
    "webhook-id": deliveryId,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
    "x-hub-signature-256": `sha256=${meta}`,
  };
}

// To make a key of bytes costs Node five times as much as to sign with it.
const keys = new WeakMap<Secret, KeyObject>();

function keyOf(secret: Secret): KeyObject {
  const known = keys.get(secret);
  if (known !== undefined) {
    return known;
  }
  const bytes = Buffer.from(secret.reveal().slice(SECRET_PREFIX.length), "base64");
  const key = createSecretKey(bytes);
  keys.set(secret, key);
  return key;
}
