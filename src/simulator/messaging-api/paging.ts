import { newMetaAccessToken } from "../ids.ts";
import { type MetaError, MetaRefusal } from "./answers/meta-errors.ts";
import type { OperationCall } from "./operation.ts";

/** 360dialog's token for Meta, which Meta writes into the links to further pages. */
export const META_ACCESS_TOKEN = newMetaAccessToken();

const LIMIT_DEFAULT = 25;
const LIMIT_MAX = 1_000;

const CURSOR_UNKNOWN: MetaError = {
  status: 400,
  code: 131059,
  message: "Invalid cursor",
  details: "The cursor has expired or is not one of this list.",
};

const cursorOf = (key: string): string => Buffer.from(key).toString("base64url");

function positionOf(keys: readonly string[], cursor: string): number {
  const position = keys.findIndex((key) => cursorOf(key) === cursor);
  if (position === -1) {
    throw new MetaRefusal(CURSOR_UNKNOWN);
  }
  return position;
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get("limit") ?? LIMIT_DEFAULT);
  return Number.isSafeInteger(limit) && limit > 0 ? Math.min(limit, LIMIT_MAX) : LIMIT_DEFAULT;
}

function linkTo(input: {
  node: string;
  edge: string;
  query: URLSearchParams;
  cursor: Record<string, string>;
}): string {
  const { node, edge, query, cursor } = input;
  const kept = [...query].filter(([name]) => !["access_token", "after", "before"].includes(name));
  const parameters = new URLSearchParams([
    ["access_token", META_ACCESS_TOKEN],
    ...kept,
    ...Object.entries(cursor),
  ]);
  return `https://graph.facebook.com/v19.0/${node}/${edge}?${parameters.toString()}`;
}

/** One page of an edge of Meta's graph, as `limit`, `after` and `before` ask for it. */
export function pageOf<Item>(input: {
  call: OperationCall;
  /** The WABA or number whose edge it is. */
  node: string;
  edge: string;
  items: readonly Item[];
  keyOf: (item: Item) => string;
}): { items: Item[]; paging?: object } {
  const { call, node, edge, items, keyOf } = input;
  const { query } = call;
  const keys = items.map(keyOf);
  const limit = limitOf(query);
  const [after, before] = [query.get("after"), query.get("before")];
  const end = before ? positionOf(keys, before) : items.length;
  const start = after ? positionOf(keys, after) + 1 : before ? Math.max(end - limit, 0) : 0;
  const stop = Math.min(start + limit, end);
  const [first, last] = [keys[start], keys[stop - 1]];
  if (first === undefined || last === undefined || stop <= start) {
    return { items: [] };
  }
  const cursors = { before: cursorOf(first), after: cursorOf(last) };
  const link = (cursor: Record<string, string>) => linkTo({ node, edge, query, cursor });
  return {
    items: items.slice(start, stop),
    paging: {
      cursors,
      ...(stop < items.length ? { next: link({ after: cursors.after }) } : {}),
      ...(start > 0 ? { previous: link({ before: cursors.before }) } : {}),
    },
  };
}
