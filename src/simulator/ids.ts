import { createHash, randomInt, randomUUID } from "node:crypto";

const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function randomText(length: number): string {
  let text = "";
  for (let index = 0; index < length; index += 1) {
    text += ALPHANUMERIC.charAt(randomInt(ALPHANUMERIC.length));
  }
  return text;
}

/** Digits that do not start with a zero, like Meta's ids. */
export function randomDigits(length: number): string {
  let digits = String(randomInt(1, 10));
  while (digits.length < length) {
    digits += String(randomInt(10));
  }
  return digits;
}

/** Digits that depend on the seed only: an id that need not be stored. */
export function digitsFrom(seed: string, length: number): string {
  const hash = createHash("sha256").update(seed).digest();
  return `1${BigInt(`0x${hash.toString("hex")}`)}`.slice(0, length);
}

const DIALOG360_ID_LENGTHS = { CH: 6, CL: 8, EV: 20, WT: 20 };

/** An id of 360dialog's own; its last letters tell a channel, client, event or template. */
export function newDialog360Id(suffix: keyof typeof DIALOG360_ID_LENGTHS): string {
  return `${randomText(DIALOG360_ID_LENGTHS[suffix])}${suffix}`;
}

/** A D360-API-KEY. */
export function newApiKey(): string {
  return `${randomText(24)}_AK`;
}

/** A token of Meta's, of the kind that must never reach a caller. */
export function newMetaAccessToken(): string {
  return `EAAG${randomText(170)}`;
}

/** A token of the Partner API's older login. */
export function newPartnerToken(): string {
  return randomText(48);
}

/** A WhatsApp message id: as in real ones, the base64 holds the user and a random part. */
export function newWamid(user: string, direction: "inbound" | "outbound"): string {
  const userBytes = Buffer.from(user).subarray(0, 127);
  const randomPart = randomHex(direction === "outbound" ? 18 : 20).toUpperCase();
  const bytes = Buffer.concat([
    Buffer.from([0x1c, 0x18, userBytes.length]),
    userBytes,
    Buffer.from([0x15, 0x02, 0x00, direction === "outbound" ? 0x11 : 0x12, 0x18]),
    Buffer.from([randomPart.length]),
    Buffer.from(randomPart),
    Buffer.from([0x00]),
  ]);
  return `wamid.${bytes.toString("base64")}`;
}

/** The id of a call. */
export function newCallId(): string {
  return `wacid.${Buffer.from(randomHex(32)).toString("base64")}`;
}

/** The id of a group; like Meta's it tells the number whose group it is. */
export function newGroupId(phoneNumberId: string): string {
  const text = `cloud_api_group:${phoneNumberId}:${randomDigits(18)}`;
  return Buffer.from(text).toString("base64url");
}

/** Meta's `fbtrace_id`, also sent as `x-fb-trace-id`. */
export function newTraceId(): string {
  return `A${Buffer.from(randomHex(32), "hex").toString("base64url")}`;
}

/** Up to 32 random hexadecimal digits. */
export function randomHex(length: number): string {
  // Node keeps random bytes in store for UUIDs; randomBytes asks the system each time.
  return randomUUID().replaceAll("-", "").slice(-length);
}
