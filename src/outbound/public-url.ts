import { parseAllowList } from "./allow-list.ts";
import { checkEndpointUrl } from "./url-rules.ts";

/**
 * Why 360dialog would not call hooks under this PUBLIC_URL, or `undefined` when it would. The same
 * rules as for tenants' endpoints, because they are 360dialog's; a development gateway may be on
 * loopback, where only a simulator is.
 */
export function whyUnusable(url: string, production: boolean): string | undefined {
  const { hostname } = new URL(url);
  const isLoopback = /^(127(\.\d+){3}|localhost|\[::1\])$/.test(hostname);
  if (!production && isLoopback) {
    return undefined;
  }
  const broken = checkEndpointUrl(`${url}/hooks`, { allowList: parseAllowList(""), ownHosts: [] });
  return broken.length > 0 ? broken.map((rule) => rule.detail).join(" ") : undefined;
}
