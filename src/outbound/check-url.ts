import type { CheckResolution, Refusal } from "./resolve.ts";
import {
  checkEndpointUrl,
  type BrokenUrlRule,
  type EndpointUrlCode,
  type UrlRuleOptions,
} from "./url-rules.ts";

/** Every rule that a URL breaks, also those that only a look-up of its host can tell. */
export type CheckUrl = (
  url: string,
) => Promise<(BrokenUrlRule | { code: Refusal["code"]; detail: string })[]>;

/** What these break is no name that anybody could look up, or one that needs no look-up to be refused. */
const WITHOUT_LOOK_UP: ReadonlySet<EndpointUrlCode> = new Set([
  "url_invalid",
  "url_host_not_public",
  "url_host_own",
]);

/** The check of a URL that somebody wants to save. */
export function createCheckUrl(
  options: UrlRuleOptions & { checkResolution: CheckResolution },
): CheckUrl {
  return async (text) => {
    const broken = checkEndpointUrl(text, options);
    const url = URL.parse(text);
    if (url === null || broken.some(({ code }) => WITHOUT_LOOK_UP.has(code))) {
      return broken;
    }
    const resolution = await options.checkResolution(url.hostname);
    return resolution.kind === "ok"
      ? broken
      : [...broken, { code: resolution.code, detail: resolution.detail }];
  };
}
