import { type FoundOperation, findOperation } from "./find-operation.ts";
import { type ParsedPath, parsePath } from "./parse-path.ts";

/** What a call's method and URL say, before anything is known of its caller. */
export type Target = {
  readonly parsed: Readonly<ParsedPath>;
  /** `undefined`: there is no such operation. */
  readonly found: Readonly<FoundOperation> | undefined;
};

/** @throws {ApiError} for a query that names two different numbers or tokens */
export type ReadTarget = (method: string, url: string) => Target;

const REMEMBERED_MAX = 10_000;
// Longer than any of a client's; strangers may write others.
const URL_LENGTH_MAX = 200;

/**
 * Reads them once for each URL without a query, which may hold a credential: a client's URLs are
 * few, and reading them was a sixtieth of a forwarded call.
 */
export function createReadTarget(): ReadTarget {
  const remembered = new Map<string, Target>();
  return (method, url) => {
    const key = `${method} ${url}`;
    const known = remembered.get(key);
    if (known !== undefined) {
      return known;
    }
    const parsed = parsePath(url);
    const target = { parsed, found: findOperation(method, parsed.segments) };
    if (url.length <= URL_LENGTH_MAX && !url.includes("?")) {
      if (remembered.size >= REMEMBERED_MAX) {
        remembered.clear();
      }
      remembered.set(key, target);
    }
    return target;
  };
}
