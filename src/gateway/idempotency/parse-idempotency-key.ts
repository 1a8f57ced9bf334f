import { ApiError } from "../../errors.ts";

/** The header of a request that asks not to be sent twice. */
export const IDEMPOTENCY_KEY = "idempotency-key";
/** The header of an answer that was first given to an earlier request. */
export const IDEMPOTENT_REPLAYED = "idempotent-replayed";

const CHARACTERS_MAX = 255;
const VISIBLE = /^[\x21-\x7e]+$/;
// RFC 9651 section 3.3.3: a string holds spaces too, and escapes quotes and backslashes alone.
const STRING = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/;

/**
 * The key, bare or quoted (a structured field's string, RFC 9651); `abc` and `"abc"` are the same.
 * A header that came twice is joined by Node with a comma and a space, which no bare key can hold.
 * @throws {ApiError} `invalid_parameter` for one that is empty, too long, unprintable or doubled
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) {
    return undefined;
  }
  const text = typeof header === "string" ? header : header.join(", ");
  const key = text.startsWith('"') ? unquote(text) : VISIBLE.exec(text)?.[0];
  if (key === undefined || key.length > CHARACTERS_MAX) {
    throw new ApiError(
      "invalid_parameter",
      `Idempotency-Key must be one key of 1 to ${CHARACTERS_MAX} visible ASCII characters, bare or quoted.`,
    );
  }
  return key;
}

function unquote(text: string): string | undefined {
  return STRING.exec(text)?.[1]?.replaceAll(/\\(.)/g, "$1");
}
