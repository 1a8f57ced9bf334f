/** Reading Meta's values, of which nothing is certain. */
export type Json = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

/** The objects of the list that a value has under this name. */
export function objectsIn(value: unknown, name: string): Json[] {
  const list = objectOf(value)[name];
  return Array.isArray(list) ? list.map(objectOf) : [];
}

/** A text that PostgreSQL can hold. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && !value.includes("\0") ? value : undefined;
}

/**
 * Meta's seconds, as text or as number, but never later than when we were told: a window that opens
 * in the future would never shut.
 */
export function timeOf(timestamp: unknown, receivedAt: Date): Date {
  const seconds =
    typeof timestamp === "string" || typeof timestamp === "number" ? Number(timestamp) : Number.NaN;
  return seconds > 0 && seconds * 1000 < receivedAt.getTime()
    ? new Date(seconds * 1000)
    : receivedAt;
}
