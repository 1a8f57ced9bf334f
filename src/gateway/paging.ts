import { rewriteUrls } from "./rewrite-answer.ts";

/** A call's own URL, as far as the pages of its answer depend on it. */
export type PagedCall = {
  /** Our PUBLIC_URL. */
  publicUrl: string;
  /** The path as the caller wrote it. */
  path: string;
  /** What the caller's query named, which the next page needs again. */
  queryNumberId: string | undefined;
  queryToken: string | undefined;
};

/**
 * `paging.next` and `paging.previous` on our own origin, in the caller's form of path: upstream's
 * would lead past us, and holds a token that is not the caller's.
 */
export function rewritePaging(answer: Buffer, call: PagedCall): Buffer {
  if (!answer.includes('"paging"')) {
    return answer;
  }
  return rewriteUrls(answer, ([first, name, ...others], text) =>
    first === "paging" && (name === "next" || name === "previous") && others.length === 0
      ? pageUrl(text, call)
      : undefined,
  );
}

function pageUrl(upstreamUrl: string, call: PagedCall): string {
  const { publicUrl, path, queryNumberId, queryToken } = call;
  const queryStart = upstreamUrl.indexOf("?");
  const upstreams = queryStart === -1 ? [] : upstreamUrl.slice(queryStart + 1).split("&");
  const query = [
    ...upstreams.filter(
      (part) => part !== "" && !/^(access_token|phone_number_id)(=|$)/.test(part),
    ),
    ...(queryNumberId === undefined ? [] : [named("phone_number_id", queryNumberId)]),
    ...(queryToken === undefined ? [] : [named("access_token", queryToken)]),
  ];
  return `${publicUrl}${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

function named(name: string, value: string): string {
  return `${name}=${encodeURIComponent(value)}`;
}
