/**
 * Text as PostgreSQL takes it, which knows neither U+0000 nor half a surrogate pair: a wrong
 * character must not keep the row beside it from being written.
 */
export function storableText(value: unknown): string | null {
  if (typeof value === "number") {
    return String(value);
  }
  return typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\uFFFD") : null;
}

/** JSON escapes what `storableText` must replace. */
export function jsonText(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
