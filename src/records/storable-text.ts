const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Text as PostgreSQL takes it, which knows neither U+0000 nor half a surrogate pair: a wrong
 * character must not keep the row beside it from being written.
 */
export function storableText(value: unknown): string | null {
  if (typeof value === "number") {
    return String(value);
  }
  if (typeof value !== "string") {
    return null;
  }
  return PLAIN.test(value) ? value : value.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** JSON escapes what `storableText` must replace. */
export function jsonText(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
