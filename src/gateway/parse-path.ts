import { ApiError } from "../errors.ts";

/** A path of the WhatsApp API without its frame: what it names, and which number it names it for. */
export type ParsedPath = {
  /** The rest in 360dialog's form, such as `["messages"]` or `["v1", "configs", "webhook"]`. */
  segments: readonly string[];
  /** A leading number id or WABA id, if the path had one. */
  pathId: string | undefined;
  /** Of `?phone_number_id=` and `?access_token=`, which leave the query. */
  queryNumberId: string | undefined;
  queryToken: string | undefined;
  /** What is left of the query with its `?`, byte for byte; empty when nothing is. */
  search: string;
};

const VERSION = /^v\d+(\.\d+)?$/;
const DIGITS = /^\d+$/;
/** What follows 360dialog's own `v1`, which is a part of these paths and no version. */
const OWN_V1 = new Set(["configs", "health"]);

/**
 * Reads the path and query of a call in any of the forms that clients write: 360dialog's
 * (`/messages`), its old style (`/v1/messages`, `/v1/media/{id}`), the Cloud API's with or without
 * a version (`/v23.0/{phone_number_id}/messages`), WABA nodes. Pure; knows no tenant.
 * @throws {ApiError} `phone_number_conflict`, `multiple_credentials` for a query that names two
 */
export function parsePath(url: string): ParsedPath {
  const queryStart = url.indexOf("?");
  const path = queryStart === -1 ? url : url.slice(0, queryStart);
  const query = parseQuery(queryStart === -1 ? "" : url.slice(queryStart + 1));

  let segments: readonly string[] = path.replace(/\/$/, "").split("/").slice(1);
  segments = dropVersion(segments);
  let pathId: string | undefined;
  const [first, second] = segments;
  if (second !== undefined && first !== undefined) {
    if (first === "PHONE_NUMBER_ID") {
      segments = segments.slice(1);
    } else if (DIGITS.test(first)) {
      pathId = first;
      segments = segments.slice(1);
    }
  }
  segments = dropVersion(segments);
  if (segments.length === 2 && segments[0] === "media") {
    segments = segments.slice(1);
  }
  return { segments, pathId, ...query };
}

function dropVersion(segments: readonly string[]): readonly string[] {
  const [first = "", second = ""] = segments;
  const isVersion = VERSION.test(first) && !(first === "v1" && OWN_V1.has(second));
  return isVersion ? segments.slice(1) : segments;
}

type ParsedQuery = Pick<ParsedPath, "queryNumberId" | "queryToken" | "search">;

const NO_QUERY: ParsedQuery = { queryNumberId: undefined, queryToken: undefined, search: "" };

function parseQuery(query: string): ParsedQuery {
  if (query === "") {
    return NO_QUERY;
  }
  const parts = query.split("&");
  const taken = new Map<string, string>();
  const rest = parts.filter((part) => {
    const [[name, value] = ["", ""]] = new URLSearchParams(part);
    if (name !== "phone_number_id" && name !== "access_token") {
      return true;
    }
    if ((taken.get(name) ?? value) !== value) {
      throw new ApiError(
        name === "access_token" ? "multiple_credentials" : "phone_number_conflict",
        `The query names two different values of ${name}; name one.`,
      );
    }
    taken.set(name, value);
    return false;
  });
  const kept = rest.join("&");
  return {
    queryNumberId: taken.get("phone_number_id"),
    queryToken: taken.get("access_token"),
    search: kept === "" ? "" : `?${kept}`,
  };
}
