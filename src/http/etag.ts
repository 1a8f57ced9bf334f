import { createHash } from "node:crypto";
import { ApiError } from "../errors.ts";

/**
 * What a caller demands of the version that it is about to change (`If-Match`; RFC 9110, section
 * 13.1.1): called with the current one, or with none where there is nothing. To be asked while the
 * row is locked, so that of two callers with the same version one wins.
 * @throws {ApiError} `etag_mismatch`
 */
export type CheckVersion = (etag: string | undefined) => void;

const ETAG_CHARACTERS = 22;

/** The version of a resource, made of all that a change of it would change. */
export function etagOf(...parts: readonly unknown[]): string {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
  return `"${digest.slice(0, ETAG_CHARACTERS)}"`;
}

/** What it makes also throws `invalid_parameter`, for what is no list of entity tags. */
export function createCheckVersion(ifMatch: string | undefined): CheckVersion {
  return (etag) => {
    if (ifMatch === undefined) {
      return;
    }
    const anything = ifMatch.trim() === "*";
    const wanted = anything ? [] : parseEntityTags(ifMatch);
    if (etag === undefined || !(anything || wanted.includes(etag))) {
      const detail = "It has been changed since; read it again, and change what it is now.";
      throw new ApiError("etag_mismatch", detail, { ...(etag && { headers: { etag } }) });
    }
  };
}

// RFC 9110, section 8.8.3. Weak ones are read, and never match: the comparison is the strong one.
const ENTITY_TAG = /^\s*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)/;

function parseEntityTags(header: string): string[] {
  const tags: string[] = [];
  let rest = header;
  do {
    const [whole, tag] = ENTITY_TAG.exec(rest) ?? [];
    if (whole === undefined || tag === undefined) {
      const detail = 'If-Match is `*` or the ETag of a version as it was given, such as "abc".';
      throw new ApiError("invalid_parameter", detail);
    }
    tags.push(tag);
    rest = rest.slice(whole.length);
  } while (rest !== "");
  return tags;
}
