import { ApiError } from "../errors.ts";

const LIMIT_DEFAULT = 50;

export type Page = { limit: number; after: string[] | undefined };

/** The forms of a sort key's parts, so that a made-up cursor is refused before it is used. */
export const CURSOR_ID = /^[\w.:-]{1,100}$/;
export const CURSOR_COUNTER = /^\d{1,18}$/;

/**
 * `limit` and `cursor` of a list. A cursor is the last row's sort key, opaque to callers.
 * @throws {ApiError} `invalid_parameter` for a cursor that is not ours
 */
export function parsePage(query: Record<string, unknown>, keyForms: readonly RegExp[]): Page {
  const limit = typeof query["limit"] === "number" ? query["limit"] : LIMIT_DEFAULT;
  const cursor = query["cursor"];
  return { limit, after: typeof cursor === "string" ? parseCursor(cursor, keyForms) : undefined };
}

function parseCursor(cursor: string, keyForms: readonly RegExp[]): string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (
      isTexts(parts) &&
      parts.length === keyForms.length &&
      keyForms.every((form, index) => form.test(parts[index] ?? ""))
    ) {
      return parts;
    }
  } catch {
    // Falls through to the same refusal as any other text that is not a cursor of ours.
  }
  throw new ApiError("invalid_parameter", "`cursor` is not one that this list gave.", {
    errors: [
      {
        code: "invalid_cursor",
        pointer: "/cursor",
        detail: "Use a `next_cursor` as it was given.",
      },
    ],
  });
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/**
 * A list's answer from up to `limit + 1` rows: the one more tells whether there is a next page.
 */
export function presentPage<Row, Presented>(
  rows: readonly Row[],
  page: Page,
  keyOf: (row: Row) => string[],
  present: (row: Row) => Presented,
): { data: Presented[]; next_cursor: string | null } {
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return {
    data: shown.map(present),
    next_cursor: more ? toCursor(keyOf(last)) : null,
  };
}

/** The cursor of the row with this sort key. */
export function toCursor(key: string[]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}
