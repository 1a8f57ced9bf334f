import { lookup, Resolver as CaresResolver } from "node:dns/promises";
import type { AllowList } from "./allow-list.ts";
import { bareHost, isAddressLiteral } from "./host-name.ts";
import { isPublicAddress } from "./public-address.ts";

/** The part of `dns.promises.Resolver` that is used; tests bring their own. Both reject when there is no answer. */
export type Resolver = {
  resolve4(host: string): Promise<string[]>;
  resolve6(host: string): Promise<string[]>;
};

const DETAILS = {
  url_unresolvable: "The host name does not resolve to an address.",
  // No address in it: the tenant must not learn what an internal name points to.
  url_resolves_private: "The host name resolves to an address that is not public.",
  url_host_not_public: "The host is not a public DNS name.",
} as const;

/** What a host leads to. `byAllowList`: it may be dialled only because the operator's allow list says so. */
export type Resolution =
  { kind: "ok"; addresses: readonly string[]; byAllowList: boolean } | Refusal;

/** Why a host may not be dialled. */
export type Refusal = { kind: "refused"; code: keyof typeof DETAILS; detail: string };

/** Resolves a host (as `URL.hostname` writes it) and judges every address. Never rejects. */
export type CheckResolution = (hostname: string) => Promise<Resolution>;

export type ResolutionOptions = {
  allowList: AllowList;
  resolver?: Resolver | undefined;
  /** Total time for one host, milliseconds; default 3,000. */
  budgetMs?: number;
};

/**
 * Makes the one check of what a host resolves to, used when an endpoint is created and for every connection.
 * Look-ups of the same host that run at the same time are one; nothing is remembered after that.
 */
export function createResolutionCheck(options: ResolutionOptions): CheckResolution {
  const { allowList, budgetMs = 3_000 } = options;
  // c-ares, on sockets of its own: getaddrinfo runs on libuv's four threads, where a few slow names of one tenant
  // would stall every other tenant's look-ups and all file access.
  const resolver = options.resolver ?? new CaresResolver({ timeout: 1_000, tries: 2 });
  const underWay = new Map<string, Promise<Resolution>>();

  async function check(host: string): Promise<Resolution> {
    const isListed = allowList.allowsHost(host);
    if (isAddressLiteral(host)) {
      // Tenants may not name addresses at all, public or not.
      return isListed
        ? { kind: "ok", addresses: [host], byAllowList: true }
        : refuse("url_host_not_public");
    }
    const addresses = isListed ? await lookUpListed(host, budgetMs) : await lookUp(host);
    if (addresses.length === 0) {
      return refuse("url_unresolvable");
    }
    const outside = addresses.filter((address) => !isPublicAddress(address));
    // One forbidden address is enough: which of them is dialled would be chance, or the attacker's choice.
    if (!isListed && outside.some((address) => !allowList.allowsAddress(address))) {
      return refuse("url_resolves_private");
    }
    return { kind: "ok", addresses, byAllowList: isListed || outside.length > 0 };
  }

  async function lookUp(host: string): Promise<string[]> {
    const families = [resolver.resolve4(host), resolver.resolve6(host)];
    return withinBudget(families, budgetMs);
  }

  return (hostname) => {
    const host = bareHost(hostname);
    const known = underWay.get(host);
    if (known !== undefined) {
      return known;
    }
    const started = check(host).finally(() => underWay.delete(host));
    underWay.set(host, started);
    return started;
  };
}

// c-ares asks DNS only. Names that the operator lists are often not in DNS: localhost, /etc/hosts, the service names of
// a compose file. getaddrinfo knows them all; tenants cannot choose these names, so they cannot fill its threads.
async function lookUpListed(host: string, budgetMs: number): Promise<string[]> {
  const found = lookup(host, { all: true }).then((all) => all.map(({ address }) => address));
  return withinBudget([found], budgetMs);
}

/** What the look-ups found until the budget ran out, IPv4 first; a look-up that fails adds nothing. */
async function withinBudget(
  lookups: readonly Promise<string[]>[],
  budgetMs: number,
): Promise<string[]> {
  const found: string[] = [];
  const all = Promise.all(
    lookups.map((each) =>
      each.then(
        (addresses) => void found.push(...addresses),
        () => undefined, // no such record, a server that fails, a server that is silent: no address either way
      ),
    ),
  );
  const { promise: outOfTime, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, budgetMs);
  await Promise.race([all, outOfTime]);
  clearTimeout(timer);
  return [...new Set(found)].toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

/** A refusal with its text for the tenant. */
export function refuse(code: Refusal["code"]): Refusal {
  return { kind: "refused", code, detail: DETAILS[code] };
}
