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
  | "rot"
  | "kjb"
  | "alt"
  | "syn"
  | "onb"
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
const ALPHABET_CODES = Buffer.from(ALPHABET, "latin1");
let pool = "";
let takenUpTo = 0;

function takeRandomText(): string {
  if (takenUpTo === pool.length) {
    const bytes = randomBytes(POOL_BYTES);
    // By index: an iterator's pairs were a twentieth of what a call allocates.
    for (let index = 0; index < bytes.length; index++) {
      bytes[index] = ALPHABET_CODES[(bytes[index] ?? 0) & 31] ?? 0;
    }
    pool = bytes.toString("latin1");
    takenUpTo = 0;
  }
  takenUpTo += RANDOM_LENGTH;
  return pool.slice(takenUpTo - RANDOM_LENGTH, takenUpTo);
}

/** 256 random bits for client secrets, hook tokens and the like: 43 base64url characters. */
export function newSecretText(): string {
  return randomBytes(32).toString("base64url");
}
