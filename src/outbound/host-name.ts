import { isIP } from "node:net";

// Labels as hosts use them (RFC 1123), and `_`, which has a rule and a code of its own.
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

// Last labels that are never in the public DNS and that a private resolver may answer. `.example` and `.invalid` are
// left out: they exist nowhere (RFC 6761), so "does not resolve" says more than "is not public".
const PRIVATE_SUFFIXES = new Set([
  "alt", // RFC 9476
  "arpa", // infrastructure, and home.arpa (RFC 8375)
  "corp", // this and the next five: RFC 6762, appendix G
  "home",
  "internal", // also reserved by ICANN in 2024
  "intranet",
  "lan",
  "private",
  "local", // RFC 6762
  "localdomain",
  "localhost", // RFC 6761
  "onion", // RFC 7686
  "test", // RFC 6761
]);

/** The host of a WHATWG URL as look-ups want it: no brackets around IPv6, no dot at the end, lower case. */
export function bareHost(hostname: string): string {
  const host = hostname.toLowerCase();
  return host.startsWith("[") ? host.slice(1, -1) : host.replace(/\.$/, "");
}

/** Whether a bare host is an IP address. WHATWG has by then turned decimal, hexadecimal, octal and short forms into dots. */
export function isAddressLiteral(host: string): boolean {
  return isIP(host) !== 0;
}

/** Whether a bare host could be a name in the public DNS, judged by its spelling alone. */
export function isPublicName(host: string): boolean {
  const labels = host.split(".");
  return (
    !isAddressLiteral(host) &&
    host.length <= 253 && // RFC 1035, 3.1
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label)) &&
    !PRIVATE_SUFFIXES.has(labels.at(-1) ?? "")
  );
}
