/** A query parameter that the contract knows as text. */
export function queryText(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name];
  return typeof value === "string" ? value : undefined;
}

/** A query parameter that the contract knows as a date and time (RFC 3339). */
export function queryTime(query: Record<string, unknown>, name: string): Date | undefined {
  const text = queryText(query, name);
  return text === undefined ? undefined : new Date(text);
}
