import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Secret } from "../secret.ts";

/** What a ciphertext is bound to: moved to another place, row or tenant, it does not open. */
export type SealContext = {
  purpose:
    | "api_key"
    | "signing_key"
    | "signing_secret"
    | "endpoint_headers"
    | "verify_token"
    | "idempotent_answer"
    | "import_api_key"
    | "onboarding_api_key"
    | "erased_user";
  rowId: string;
  /** Empty for what belongs to no tenant. */
  tenantId: string;
};

export type Sealer = {
  seal(secret: Secret, context: SealContext): Buffer;
  /** @throws {CannotOpen} when the key is missing or anything but the right context is given */
  open(sealed: Buffer, context: SealContext): Secret;
};

export class CannotOpen extends Error {
  override readonly name = "CannotOpen";
}

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM (NIST SP 800-38D). Envelope: version, length of key id, key id, 12 bytes of nonce,
 * 16 bytes of tag, ciphertext. The first master key seals, all open.
 */
export function createSealer(masterKeys: readonly { id: string; key: Secret }[]): Sealer {
  const keys = new Map(masterKeys.map(({ id, key }) => [id, Buffer.from(key.reveal(), "base64")]));
  const [sealing] = masterKeys;
  if (sealing === undefined) {
    throw new Error("no master key to seal with");
  }

  function keyOf(id: string): Buffer {
    const key = keys.get(id);
    if (key === undefined) {
      throw new CannotOpen(`sealed with master key ${JSON.stringify(id)}, which is not configured`);
    }
    return key;
  }

  return {
    seal(secret, context) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", keyOf(sealing.id), iv);
      cipher.setAAD(additionalData(context));
      const sealed = Buffer.concat([cipher.update(secret.reveal(), "utf8"), cipher.final()]);
      const keyId = Buffer.from(sealing.id);
      const head = Buffer.from([VERSION, keyId.length]);
      return Buffer.concat([head, keyId, iv, cipher.getAuthTag(), sealed]);
    },

    open(sealed, context) {
      const keyIdEnd = 2 + (sealed[1] ?? 0);
      const ivEnd = keyIdEnd + IV_BYTES;
      const tagEnd = ivEnd + TAG_BYTES;
      if (sealed[0] !== VERSION || sealed.length < tagEnd) {
        throw new CannotOpen(`not a sealed ${context.purpose}`);
      }
      const key = keyOf(sealed.toString("utf8", 2, keyIdEnd));
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(keyIdEnd, ivEnd));
      decipher.setAAD(additionalData(context));
      decipher.setAuthTag(sealed.subarray(ivEnd, tagEnd));
      try {
        const opened = Buffer.concat([decipher.update(sealed.subarray(tagEnd)), decipher.final()]);
        return new Secret(opened.toString("utf8"));
      } catch (error) {
        throw new CannotOpen(`a sealed ${context.purpose} does not open here`, { cause: error });
      }
    },
  };
}

/** A key for another purpose from each master key, in their order (HKDF-SHA256, RFC 5869). */
export function deriveKeys(
  masterKeys: readonly { id: string; key: Secret }[],
  purpose: string,
): Buffer[] {
  return masterKeys.map(({ key }) =>
    Buffer.from(hkdfSync("sha256", Buffer.from(key.reveal(), "base64"), "", purpose, 32)),
  );
}

function additionalData(context: SealContext): Buffer {
  return Buffer.from(JSON.stringify([context.purpose, context.rowId, context.tenantId]));
}
