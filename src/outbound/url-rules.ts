import { domainToUnicode } from "node:url";
import type { AllowList } from "./allow-list.ts";
import { bareHost, isAddressLiteral, isPublicName } from "./host-name.ts";

/** The longest URL that is taken, in characters as written. */
const URL_CHARACTERS_MAX = 2048;

const RULES = [
  ["url_invalid", "The URL cannot be read, or not by every reader in the same way."],
  ["url_too_long", `The URL is longer than ${URL_CHARACTERS_MAX} characters.`],
  ["url_not_https", "The URL does not start with https://."],
  ["url_host_underscore", "The host name contains an underscore."],
  ["url_port", "The URL names a port; leave it out, even 443."],
  ["url_credentials", "The URL contains a user name or password."],
  ["url_fragment", "The URL contains a fragment (#)."],
  ["url_host_not_public", "The host is not a public DNS name."],
  ["url_host_own", "The host is this gateway's own or one of 360dialog's."],
] as const;

/** The rules of an endpoint's URL that need no look-up, by their stable codes. */
export type EndpointUrlCode = (typeof RULES)[number][0];

/** One broken rule, told to the tenant as it is. */
export type BrokenUrlRule = { code: EndpointUrlCode; detail: string };

export type UrlRuleOptions = {
  allowList: AllowList;
  /** Hosts of our own, as `URL.host` writes them: with a port only that port is ours, without one every port is. */
  ownHosts: readonly string[];
};

/** What stands between `//` and the path, before WHATWG drops or maps anything. */
type Written = { host: string; hasPort: boolean; hasCredentials: boolean };

const HUB_HOST = /(?:^|\.)360dialog\.(?:io|com)$/;

/**
 * Judges the URL of an endpoint (or a JWKS URL) without looking its host up.
 *
 * Two readers judge it: the text as written, because 360dialog and tenants' own tools read it so, and WHATWG, because
 * that is what we dial. Where they disagree on the host the URL is invalid.
 * @returns every rule that it breaks, in a fixed order; empty when it may be used
 */
export function checkEndpointUrl(text: string, options: UrlRuleOptions): BrokenUrlRule[] {
  const broken = new Set([...brokenAsWritten(text), ...brokenAsDialled(text, options)]);
  const url = URL.parse(text);
  if (url !== null && isExempt(url, options.allowList)) {
    broken.delete("url_port");
    broken.delete("url_host_not_public");
    if (url.protocol === "http:") {
      broken.delete("url_not_https");
    }
  }
  return RULES.filter(([code]) => broken.has(code)).map(([code, detail]) => ({ code, detail }));
}

function brokenAsWritten(text: string): Set<EndpointUrlCode> {
  const broken = new Set<EndpointUrlCode>();
  const written = readAsWritten(text);
  if (text.length > URL_CHARACTERS_MAX) {
    broken.add("url_too_long");
  }
  // WHATWG trims and drops white space, and reads a backslash as a slash up to the query.
  if (written === undefined || /[\s\p{Cc}\p{Cs}]/u.test(text) || /^[^?#]*\\/.test(text)) {
    broken.add("url_invalid");
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) && !/^https:/i.test(text)) {
    broken.add("url_not_https");
  }
  if (written?.host.includes("_")) {
    broken.add("url_host_underscore");
  }
  if (written?.hasPort) {
    broken.add("url_port");
  }
  if (written?.hasCredentials) {
    broken.add("url_credentials");
  }
  if (text.includes("#")) {
    broken.add("url_fragment");
  }
  return broken;
}

function brokenAsDialled(text: string, { ownHosts }: UrlRuleOptions): Set<EndpointUrlCode> {
  const broken = new Set<EndpointUrlCode>();
  const url = URL.parse(text);
  if (url === null) {
    return broken.add("url_invalid");
  }
  const host = bareHost(url.hostname);
  const written = readAsWritten(text);
  if (written !== undefined && !isSameHost(written.host, url.hostname)) {
    broken.add("url_invalid");
  }
  if (url.protocol !== "https:") {
    broken.add("url_not_https");
  }
  if (host.includes("_")) {
    broken.add("url_host_underscore");
  }
  if (url.port !== "") {
    broken.add("url_port");
  }
  if (url.username !== "" || url.password !== "") {
    broken.add("url_credentials");
  }
  if (host !== "" && !isPublicName(host)) {
    broken.add("url_host_not_public");
  }
  if (HUB_HOST.test(host) || ownHosts.some((own) => isOwn(url, host, own))) {
    broken.add("url_host_own");
  }
  return broken;
}

/** Whether the operator's list names the host of this URL, so that it may be private, plain http and on any port. */
function isExempt(url: URL, allowList: AllowList): boolean {
  return allowList.allowsHost(bareHost(url.hostname));
}

function readAsWritten(text: string): Written | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]+)/i.exec(text)?.[1];
  if (authority === undefined) {
    return undefined;
  }
  const hostStart = authority.lastIndexOf("@") + 1; // WHATWG: the last @ ends the credentials
  const hostAndPort = authority.slice(hostStart);
  const portStart = hostAndPort.indexOf(":", hostAndPort.lastIndexOf("]") + 1);
  return {
    host: portStart === -1 ? hostAndPort : hostAndPort.slice(0, portStart),
    hasPort: portStart !== -1,
    hasCredentials: hostStart > 0,
  };
}

function isSameHost(written: string, hostname: string): boolean {
  if (isAddressLiteral(bareHost(hostname))) {
    return true; // other spellings of an address are one broken rule already: a literal
  }
  const lower = written.normalize("NFC").toLowerCase();
  return lower === hostname || lower === domainToUnicode(hostname);
}

function isOwn(url: URL, host: string, own: string): boolean {
  const ownUrl = URL.parse(`http://${own}`);
  if (ownUrl === null || bareHost(ownUrl.hostname) !== host) {
    return false;
  }
  // A development gateway and the receivers beside it share a host and differ in the port.
  return ownUrl.port === "" || ownUrl.port === (url.port || defaultPort(url.protocol));
}

function defaultPort(protocol: string): string {
  return protocol === "http:" ? "80" : "443";
}
