import type { Change, Entry } from "../dialog360/notification.ts";

/** One thing of a notification, before it is known whose it is. */
export type Fragment = {
  type: string;
  phoneNumberId: string | null;
  wabaId: string | null;
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
};

/** A type's last word is taken from the payload; anything but a plain word becomes `unknown`. */
export function word(value: unknown): string {
  return typeof value === "string" && /^[a-z][a-z0-9_]{0,63}$/i.test(value)
    ? value.toLowerCase()
    : "unknown";
}

export function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
