import type { Change, Entry } from "../dialog360/notification.ts";

/** One thing of a notification, before it is known whose it is. */
export type Fragment = {
  type: string;
  phoneNumberId: string | null;
  wabaId: string | null;
  /** Whom it is about, where that is one user: by phone number if it shows one, else by BSUID. */
  user: string | null;
  /** Of a status: the message that it is of. */
  wamid: string | null;
  /** What it is; two fragments of one number or WABA with equal parts are the same event. */
  identityParts: unknown[];
  body: Buffer;
};

/** Where in the notification a fragment stands. */
export type Place = {
  entry: Entry;
  change: Change;
  field: string;
  value: Record<string, unknown>;
  /** Everybody whom its messages, statuses and so on name. */
  users: ReadonlySet<unknown>;
};

/** A type's last word is taken from the payload; anything but a plain word becomes `unknown`. */
export function word(value: unknown): string {
  return typeof value === "string" && /^[a-z][a-z0-9_]{0,63}$/i.test(value)
    ? value.toLowerCase()
    : "unknown";
}

const ID_CHARACTERS_MAX = 200;

/**
 * The id of a number or a WABA; `null` where none is given. One that is not text (they are digits,
 * so it could come as a number) still names one: what has a number must never pass for its WABA's.
 */
export function idOrNull(value: unknown): string | null {
  if (value === undefined || value === null || value === "") {
    return null;
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // PostgreSQL's text takes no NUL.
  return text.slice(0, ID_CHARACTERS_MAX).replaceAll("\0", "\uFFFD");
}
