import type { AllowList } from "./allow-list.ts";
import { createCheckUrl, type CheckUrl } from "./check-url.ts";
import { createGuardedDispatcher } from "./dispatcher.ts";
import { exchange, type OutboundRequest, type OutboundResult } from "./exchange.ts";
import { bareHost } from "./host-name.ts";
import { createResolutionCheck, type CheckResolution, type Resolver } from "./resolve.ts";
import { checkEndpointUrl } from "./url-rules.ts";

export type OutboundAgentOptions = {
  allowList: AllowList;
  /** Our own hosts, as for `checkEndpointUrl`; a URL that leads to one is refused. */
  ownHosts?: readonly string[];
  resolver?: Resolver | undefined;
  /** Total time for a look-up, milliseconds; default 3,000. */
  resolveBudgetMs?: number;
  /** For look-up, TCP and TLS of one connection, milliseconds; default 5,000. */
  connectTimeoutMs?: number;
  /** Open connections to one scheme, host and port, default 128; more requests wait, within their own deadline. */
  connectionsPerOriginMax?: number;
  /**
   * How old a connection may be to take another request, milliseconds, default 60,000: after that the name is looked up
   * and judged again.
   */
  connectionAgeMaxMs?: number;
  /** How long a connection waits unused, milliseconds; default 4,000, below what servers grant, so that we close first. */
  keepAliveMs?: number;
  /** PEM certificates to trust instead of the built-in authorities. */
  certificateAuthorities?: string;
};

/** The only way to a URL that a tenant named. */
export type OutboundAgent = {
  /** One request: no redirect is followed, no proxy used, nothing retried. Never rejects. */
  request(request: OutboundRequest): Promise<OutboundResult>;
  /** The same check of a host's addresses that every connection makes; for when a URL is saved. */
  checkResolution: CheckResolution;
  /** All that is wrong with a URL that somebody wants to save. */
  checkUrl: CheckUrl;
  /** Ends everything at once and takes no more: requests under way answer `failed`, reason `aborted` or `reset`. */
  destroy: () => Promise<void>;
};

/**
 * Makes the agent. It opens nothing before the first request.
 *
 * Each connection is resolved, judged and pinned to what was judged; each request passes the URL rules and has one
 * deadline for everything.
 */
export function createOutboundAgent(options: OutboundAgentOptions): OutboundAgent {
  const { allowList, ownHosts = [] } = options;
  const checkResolution = createResolutionCheck({
    allowList,
    resolver: options.resolver,
    budgetMs: options.resolveBudgetMs ?? 3_000,
  });
  /** Hosts whose newest connection needed the allow list: the operator's own, so few. */
  const byAllowList = new Set<string>();

  const dispatcher = createGuardedDispatcher({
    allowList,
    checkResolution,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    connectionsPerOriginMax: options.connectionsPerOriginMax ?? 128,
    connectionAgeMaxMs: options.connectionAgeMaxMs ?? 60_000,
    keepAliveMs: options.keepAliveMs ?? 4_000,
    certificateAuthorities: options.certificateAuthorities,
    onConnect(host, isByAllowList) {
      byAllowList[isByAllowList ? "add" : "delete"](host);
    },
  });

  return {
    checkResolution,
    checkUrl: createCheckUrl({ allowList, ownHosts, checkResolution }),
    async request(request) {
      // The rules of saving hold for sending as well: the allow list may have become shorter since.
      const [broken] = checkEndpointUrl(request.url, { allowList, ownHosts });
      if (broken !== undefined) {
        return { kind: "refused_address", ...broken, durationMs: 0 };
      }
      const url = new URL(request.url);
      const host = bareHost(url.hostname);
      return exchange({ dispatcher, request, url, isByAllowList: () => byAllowList.has(host) });
    },
    destroy: () => dispatcher.destroy(),
  };
}
