import { randomBytes } from "node:crypto";

// Crockford's base 32 in lower case: no i, l, o, u, and its order is the order of its values.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 16;

export type IdPrefix =
  | "ten"
  | "cli"
  | "tok"
  | "iss"
  | "num"
  | "ntf"
  | "evt"
  | "whe"
  | "att"
  | "msg"
  | "dst"
  | "req"
  | "reg"
  | "aud"
  | "imp"
  | "era";

/**
 * A new id, `prefix_` and 26 characters that sort by the time they were made: 48 bits of
 * milliseconds, then 80 random bits (the layout of a ULID). A delivery's id is the exception: it is
 * derived from endpoint and event where the delivery is inserted.
 */
export function newId(prefix: IdPrefix, nowMs: number = Date.now()): string {
  return `${prefix}_${timeText(nowMs)}${takeRandomText()}`;
}

let lastMs = Number.NaN;
let lastTimeText = "";

/** Many ids share a millisecond. */
function timeText(nowMs: number): string {
  if (nowMs !== lastMs) {
    let text = "";
    for (let rest = nowMs, i = 0; i < TIME_LENGTH; i++, rest = Math.floor(rest / 32)) {
      text = ALPHABET.charAt(rest % 32) + text;
    }
    lastMs = nowMs;
    lastTimeText = text;
  }
  return lastTimeText;
}

// One call to the system for many ids: a call for each was an eighth of a forwarded message's CPU.
const POOL_BYTES = 256 * RANDOM_LENGTH;
let pool = "";

function takeRandomText(): string {
  if (pool.length === 0) {
    pool = Array.from(randomBytes(POOL_BYTES), (byte) => ALPHABET.charAt(byte & 31)).join("");
  }
  const taken = pool.slice(0, RANDOM_LENGTH);
  pool = pool.slice(RANDOM_LENGTH);
  return taken;
}

/** 256 random bits for client secrets, hook tokens and the like: 43 base64url characters. */
export function newSecretText(): string {
  return randomBytes(32).toString("base64url");
}
