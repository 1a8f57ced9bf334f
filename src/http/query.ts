import { ApiError } from "../errors.ts";

/** A query parameter that the contract knows as text. */
export function queryText(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * A query parameter that the contract knows as a date and time (RFC 3339).
 * @throws {ApiError} `invalid_parameter` for a leap second and the like, which no `Date` can be
 */
export function queryTime(query: Record<string, unknown>, name: string): Date | undefined {
  const text = queryText(query, name);
  if (text === undefined) {
    return undefined;
  }
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new ApiError(
      "invalid_parameter",
      `\`${name}\` is not a time such as 2026-01-31T12:00:00Z.`,
    );
  }
  return time;
}
