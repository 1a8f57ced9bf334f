import type { Answer } from "../http/answer.ts";
import { isObject, type JsonObject, parseJson } from "../json.ts";
import { metaFormError, ownSuccess } from "../messaging-api/answers/own-answer.ts";

const LIMIT_DEFAULT = 1000;

/** What a path such as `setup_info.phone_number` leads to. */
function valueAt(row: JsonObject, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), row);
}

const wholeNumber = (text: string): number | undefined =>
  /^\d{1,9}$/.test(text) ? Number(text) : undefined;

function compare(a: unknown, b: unknown): number {
  const [left, right] = [a, b].map((value) => (value instanceof Date ? value.getTime() : value));
  return typeof left === "number" && typeof right === "number"
    ? left - right
    : String(left).localeCompare(String(right));
}

/**
 * A list as the hub writes it: `filters` is a JSON object of fields and their values, `sort` a field,
 * with a minus before it from the largest on. What is not understood is refused in the `meta` form.
 */
export function listAnswer(
  query: URLSearchParams,
  options: { collection: string; rows: JsonObject[]; filters: readonly string[] },
): Answer {
  const filters = parseJson(query.get("filters") ?? "{}");
  const limit = wholeNumber(query.get("limit") ?? String(LIMIT_DEFAULT));
  const offset = wholeNumber(query.get("offset") ?? "0");
  const sort = query.get("sort") ?? "id";
  if (!isObject(filters)) {
    return metaFormError(400, "Invalid request", ["filters must be a JSON object"]);
  }
  const unknown = Object.keys(filters).filter((name) => !options.filters.includes(name));
  if (unknown.length > 0) {
    return metaFormError(400, "Invalid request", [`unknown filters: ${unknown.join(", ")}`]);
  }
  if (limit === undefined || limit === 0 || offset === undefined) {
    return metaFormError(400, "Invalid request", ["limit and offset must be whole numbers"]);
  }
  const fits = (row: JsonObject): boolean =>
    Object.entries(filters).every(([path, value]) => valueAt(row, path) === value);
  const field = sort.replace(/^-/, "");
  const found = options.rows
    .filter(fits)
    .toSorted((a, b) => compare(valueAt(a, field), valueAt(b, field)));
  const page = (sort.startsWith("-") ? found.toReversed() : found).slice(offset, offset + limit);
  return ownSuccess({
    count: page.length,
    total: found.length,
    limit,
    offset,
    filters,
    sort: [sort],
    [options.collection]: page,
  });
}
