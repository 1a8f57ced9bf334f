import { randomBytes } from "node:crypto";

// Crockford's base 32 in lower case: no i, l, o, u, and its order is the order of its values.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_LENGTH = 10;
const RANDOM_BYTES = 16;

export type IdPrefix =
  "ten" | "cli" | "tok" | "iss" | "num" | "ntf" | "evt" | "whe" | "att" | "msg" | "dst" | "req";

/**
 * A new id, `prefix_` and 26 characters that sort by the time they were made: 48 bits of
 * milliseconds, then 80 random bits (the layout of a ULID). A delivery's id is the exception: it is
 * derived from endpoint and event where the delivery is inserted.
 */
export function newId(prefix: IdPrefix, nowMs: number = Date.now()): string {
  let time = "";
  for (let rest = nowMs, i = 0; i < TIME_LENGTH; i++, rest = Math.floor(rest / 32)) {
    time = ALPHABET.charAt(rest % 32) + time;
  }
  let random = "";
  for (const byte of takeRandomBytes()) {
    random += ALPHABET.charAt(byte & 31);
  }
  return `${prefix}_${time}${random}`;
}

// One call to the system for many ids: a call for each was an eighth of a forwarded message's CPU.
const POOL_BYTES = 256 * RANDOM_BYTES;
let pool = Buffer.alloc(0);

function takeRandomBytes(): Buffer {
  if (pool.length === 0) {
    pool = randomBytes(POOL_BYTES);
  }
  const taken = pool.subarray(0, RANDOM_BYTES);
  pool = pool.subarray(RANDOM_BYTES);
  return taken;
}

/** 256 random bits for client secrets, hook tokens and the like: 43 base64url characters. */
export function newSecretText(): string {
  return randomBytes(32).toString("base64url");
}
