import { domainToASCII } from "node:url";
import ipaddr from "ipaddr.js";
import { isAddressLiteral } from "./host-name.ts";
import { isWithin, parseAddress, type IpAddress, type IpRange } from "./public-address.ts";

/** What the operator exempts from the rules that keep tenants out of private networks. */
export type AllowList = {
  /** Whether a bare host is exempt: a name that is listed, or an address literal inside a listed range. */
  allowsHost(host: string): boolean;
  /** Whether an address that a name led to is exempt, whatever the name was. */
  allowsAddress(address: string): boolean;
};

const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/**
 * Reads `ALLOW_PRIVATE_ENDPOINTS`.
 * @param text host names, CIDR ranges and single addresses, separated by commas; empty allows nothing
 * @throws Error that names the first entry which is none of these
 */
export function parseAllowList(text: string): AllowList {
  const names = new Set<string>();
  const ranges: IpRange[] = [];
  for (const entry of text.split(",").map((each) => each.trim())) {
    if (entry === "") {
      continue;
    }
    const parsed = parseEntry(entry);
    if (typeof parsed === "string") {
      names.add(parsed);
    } else {
      ranges.push(parsed);
    }
  }

  function allowsAddress(address: string): boolean {
    const parsed = parseAddress(address);
    return parsed !== undefined && ranges.some((range) => isWithin(parsed, range));
  }

  return {
    allowsAddress,
    allowsHost: (host) =>
      isAddressLiteral(host) ? allowsAddress(host) : names.has(host.toLowerCase()),
  };
}

function parseEntry(entry: string): string | IpRange {
  const [base = "", bits, ...rest] = entry.split("/");
  const address = parseAddress(base);
  if (address !== undefined && rest.length === 0) {
    return parseRange(entry, address, bits, base.includes(":") ? 128 : 32);
  }
  const name = domainToASCII(entry).replace(/\.$/, "");
  // A last label of digits would be an address in some short spelling (127.1), which the list writes in full.
  if (!NAME.test(name) || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name) || isAddressLiteral(name)) {
    throw new Error(`"${entry}" is neither a host name nor a CIDR range`);
  }
  return name;
}

function parseRange(
  entry: string,
  address: IpAddress,
  bitsText: string | undefined,
  bitsMax: number,
): IpRange {
  const written = bitsText ?? String(bitsMax);
  const mappedBits = bitsMax === 128 && address.kind() === "ipv4" ? 96 : 0;
  const bits = Number(written) - mappedBits;
  if (!/^\d{1,3}$/.test(written) || Number(written) > bitsMax || bits < 0) {
    throw new Error(`"${entry}" has no prefix length between ${mappedBits} and ${bitsMax}`);
  }
  // 10.0.0.1/8 may be meant as one host or as sixteen million: a hole in the fence is not guessed.
  const network = (address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(
    `${address.toString()}/${bits}`,
  );
  if (network.toString() !== address.toString()) {
    throw new Error(`"${entry}" is not the first address of its range, ${network.toString()}`);
  }
  return [address, bits];
}
