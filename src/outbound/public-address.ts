import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** A parsed address; IPv4-mapped IPv6 (`::ffff:a.b.c.d`) is already the IPv4 address it stands for. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** A network: its first address and prefix length in bits. */
export type IpRange = readonly [IpAddress, number];

// What the IANA special-purpose registry (RFC 6890 and its updates) marks as not globally reachable, or as no place
// for a server, and addresses that only look public: inside a cloud they lead to the host's own metadata.
const FORBIDDEN_IPV4 = ranges([
  "0.0.0.0/8", // this network (RFC 791); Linux dials 0.0.0.0 as loopback
  "10.0.0.0/8", // private use (RFC 1918)
  "100.64.0.0/10", // shared address space (RFC 6598); Alibaba's metadata is 100.100.100.200
  "127.0.0.0/8", // loopback (RFC 1122)
  "169.254.0.0/16", // link local (RFC 3927); the metadata address of most clouds
  "172.16.0.0/12", // private use (RFC 1918)
  "192.0.0.0/24", // protocol assignments (RFC 6890); Oracle's old metadata is 192.0.0.192
  "192.0.2.0/24", // documentation (RFC 5737)
  "192.31.196.0/24", // AS112 (RFC 7535)
  "192.52.193.0/24", // AMT (RFC 7450)
  "192.88.99.0/24", // 6to4 relays, deprecated (RFC 7526)
  "192.168.0.0/16", // private use (RFC 1918)
  "192.175.48.0/24", // AS112 (RFC 7534)
  "198.18.0.0/15", // benchmarking (RFC 2544)
  "198.51.100.0/24", // documentation (RFC 5737)
  "203.0.113.0/24", // documentation (RFC 5737)
  "224.0.0.0/4", // multicast (RFC 1112)
  "240.0.0.0/4", // reserved (RFC 1112), with the broadcast address
  "168.63.129.16/32", // Azure: the host's own agent, DNS and metadata
  "161.26.0.0/16", // IBM Cloud: infrastructure services, reachable only from inside
  "166.8.0.0/14", // IBM Cloud: private endpoints of its services
]);

const GLOBAL_UNICAST_IPV6 = range("2000::/3"); // RFC 4291: the only space handed out to the Internet

const FORBIDDEN_IPV6 = ranges([
  "2001::/23", // protocol assignments (RFC 2928): Teredo, benchmarking, ORCHID
  "2001:db8::/32", // documentation (RFC 3849)
  // 6to4 (RFC 3056, deprecated by RFC 7526) carries an IPv4 address, which a relay of ours would dial: no server that
  // wants webhooks lives there, so it is refused whatever the inner address is. Teredo above for the same reason.
  "2002::/16",
  "2620:4f:8000::/48", // AS112 (RFC 7534)
  "3fff::/20", // documentation (RFC 9637)
]);

// RFC 6052. On an IPv6-only network with DNS64 every IPv4 server appears in this prefix, so the inner address decides.
// The local-use prefix 64:ff9b:1::/48 (RFC 8215) may hold it anywhere and is outside 2000::/3: always refused.
const NAT64 = range("64:ff9b::/96");

/**
 * Whether the address is one of the public Internet, where a tenant may send us.
 * @param text an IP address as resolvers and sockets write it; anything else, and any zone (`%eth0`), is not public
 */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && isPublic(address);
}

/** The address that a canonical spelling stands for, or undefined: short, hexadecimal and octal forms are not parsed. */
export function parseAddress(text: string): IpAddress | undefined {
  // ipaddr.js alone reads "10" as 0.0.0.10, 010 as octal, and ::8.8.8.8 (IPv4-compatible) as if it were mapped.
  if (isIP(text) === 0 || text.includes("%")) {
    return undefined;
  }
  return ipaddr.process(text.includes(":") ? withoutDots(text) : text);
}

/** The same IPv6 address with its last 32 bits as two groups, where they were written as an IPv4 address. */
function withoutDots(text: string): string {
  return text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_dots, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
}

/** Whether the address lies in the range; never across families. */
export function isWithin(address: IpAddress, [network, bits]: IpRange): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

function isPublic(address: IpAddress): boolean {
  if (address.kind() === "ipv6" && isWithin(address, NAT64)) {
    return isPublic(ipaddr.fromByteArray(address.toByteArray().slice(12)));
  }
  if (address.kind() === "ipv6" && !isWithin(address, GLOBAL_UNICAST_IPV6)) {
    return false;
  }
  const forbidden = address.kind() === "ipv4" ? FORBIDDEN_IPV4 : FORBIDDEN_IPV6;
  // The library's own list is asked as well: it grows with the registry, ours names what it does not know.
  return address.range() === "unicast" && !forbidden.some((each) => isWithin(address, each));
}

function range(cidr: string): IpRange {
  return ipaddr.parseCIDR(cidr);
}

function ranges(cidrs: readonly string[]): readonly IpRange[] {
  return cidrs.map(range);
}
