import { BlockList } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPublicAddress } from "../../../src/outbound/public-address.ts";

// Written down once more, apart from the source: each range with its first and last address.
const FORBIDDEN_IPV4 = [
  ["this network", "0.0.0.0", "0.255.255.255"],
  ["private, 10/8", "10.0.0.0", "10.255.255.255"],
  ["shared address space", "100.64.0.0", "100.127.255.255"],
  ["loopback", "127.0.0.0", "127.255.255.255"],
  ["link local", "169.254.0.0", "169.254.255.255"],
  ["private, 172.16/12", "172.16.0.0", "172.31.255.255"],
  ["protocol assignments", "192.0.0.0", "192.0.0.255"],
  ["documentation 1", "192.0.2.0", "192.0.2.255"],
  ["AS112, new", "192.31.196.0", "192.31.196.255"],
  ["AMT", "192.52.193.0", "192.52.193.255"],
  ["6to4 relays", "192.88.99.0", "192.88.99.255"],
  ["private, 192.168/16", "192.168.0.0", "192.168.255.255"],
  ["AS112", "192.175.48.0", "192.175.48.255"],
  ["benchmarking", "198.18.0.0", "198.19.255.255"],
  ["documentation 2", "198.51.100.0", "198.51.100.255"],
  ["documentation 3", "203.0.113.0", "203.0.113.255"],
  ["multicast", "224.0.0.0", "239.255.255.255"],
  ["reserved and broadcast", "240.0.0.0", "255.255.255.255"],
  ["Azure's host agent", "168.63.129.16", "168.63.129.16"],
  ["IBM Cloud, infrastructure", "161.26.0.0", "161.26.255.255"],
  ["IBM Cloud, endpoints", "166.8.0.0", "166.11.255.255"],
] as const;

const oracle = new BlockList();
for (const [, first, last] of FORBIDDEN_IPV4) {
  oracle.addRange(first, last, "ipv4");
}

const toNumber = (address: string) =>
  address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
const toIPv4 = (value: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
const groupsOf = (value: number) =>
  `${Math.floor(value / 65_536).toString(16)}:${(value % 65_536).toString(16)}`;

const anyIPv4 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const forbiddenIPv4 = fc
  .constantFrom(...FORBIDDEN_IPV4)
  .chain(([, first, last]) => fc.integer({ min: toNumber(first), max: toNumber(last) }));
const groups = (count: number) =>
  fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: count, maxLength: count });
const toIPv6 = (parts: readonly number[]) => parts.map((part) => part.toString(16)).join(":");

describe("isPublicAddress", () => {
  it.each(FORBIDDEN_IPV4)("refuses both ends of %s", (_name, first, last) => {
    expect([isPublicAddress(first), isPublicAddress(last)]).toEqual([false, false]);
  });

  it.each(FORBIDDEN_IPV4)("takes the neighbours of %s unless they are forbidden too", (...row) => {
    for (const neighbour of [toNumber(row[1]) - 1, toNumber(row[2]) + 1]) {
      if (neighbour >= 0 && neighbour < 2 ** 32) {
        const address = toIPv4(neighbour);
        expect(isPublicAddress(address), address).toBe(!oracle.check(address));
      }
    }
  });

  it.each([
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
    "2001:4860:4860::8888",
    "2001:200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
  ])("takes %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ["unspecified", "::"],
    ["loopback", "::1"],
    ["link local", "fe80::1"],
    ["link local with a zone", "fe80::1%eth0"],
    ["a public address with a zone", "2606:4700:4700::1111%eth0"],
    ["site local", "fec0::1"],
    ["unique local, AWS metadata", "fd00:ec2::254"],
    ["unique local, Google metadata", "fd20:ce::254"],
    ["multicast", "ff02::1"],
    ["discard", "100::1"],
    ["IPv4-compatible loopback", "::127.0.0.1"],
    ["IPv4-compatible private, as groups", "::a00:1"],
    ["IPv4-compatible public", "::8.8.8.8"],
    ["IPv4-translated", "::ffff:0:8.8.8.8"],
    ["mapped loopback", "::ffff:127.0.0.1"],
    ["mapped metadata, as groups", "::ffff:a9fe:a9fe"],
    ["mapped, Azure", "::ffff:168.63.129.16"],
    ["NAT64 of metadata", "64:ff9b::169.254.169.254"],
    ["NAT64 of Azure", "64:ff9b::a83f:8110"],
    ["local-use NAT64, even of a public address", "64:ff9b:1::8.8.8.8"],
    ["6to4 of loopback", "2002:7f00:1::"],
    ["6to4 of a public address", "2002:808:808::1"],
    ["Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    ["benchmarking", "2001:2::1"],
    ["ORCHID", "2001:10::1"],
    ["ORCHIDv2", "2001:20::1"],
    ["AS112", "2620:4f:8000::42"],
    ["documentation", "2001:db8::1"],
    ["new documentation", "3fff::1"],
    ["segment routing", "5f00::1"],
    ["outside what is handed out", "4000::1"],
    ["just below 2000::/3", "1fff:ffff::1"],
  ])("refuses IPv6: %s", (_name, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    "",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "8.8.8.010",
    "8",
    "8.8.8.8/32",
    "8.8.8.8:80",
    "[2606:4700::1]",
    " 8.8.8.8",
    "8.8.8.8\n",
    "８.8.8.8",
  ])("does not take %j for an address", (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });

  it("agrees with node's own block list on every IPv4 address", () => {
    fc.assert(
      fc.property(fc.oneof(anyIPv4, forbiddenIPv4), (value) => {
        expect(isPublicAddress(toIPv4(value))).toBe(!oracle.check(toIPv4(value)));
      }),
      { numRuns: 5_000 },
    );
  });

  it("judges a mapped or NAT64 address, in dots or groups, by the address inside", () => {
    fc.assert(
      fc.property(
        fc.oneof(anyIPv4, forbiddenIPv4),
        fc.constantFrom("::ffff:", "0:0:0:0:0:ffff:", "64:ff9b::", "64:FF9B:0:0:0:0:"),
        fc.boolean(),
        (value, prefix, inDots) => {
          const text = `${prefix}${inDots ? toIPv4(value) : groupsOf(value)}`;
          expect(isPublicAddress(text), text).toBe(!oracle.check(toIPv4(value)));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("refuses a forbidden address behind every other way of carrying one", () => {
    fc.assert(
      fc.property(
        forbiddenIPv4,
        fc.constantFrom(
          (inner: number) => `::${groupsOf(inner)}`,
          (inner: number) => `2002:${groupsOf(inner)}::1`,
          (inner: number) => `2001:0:4136:e378:8000:63bf:${groupsOf(2 ** 32 - 1 - inner)}`,
          (inner: number) => `::ffff:0:${groupsOf(inner)}`,
          (inner: number) => `64:ff9b:1::${groupsOf(inner)}`,
        ),
        (inner, carry) => {
          expect(isPublicAddress(carry(inner)), carry(inner)).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("refuses all IPv6 outside 2000::/3 that carries no IPv4 address", () => {
    const outside = fc
      .tuple(
        fc.integer({ min: 1, max: 0xffff }).filter((first) => first >> 13 !== 1 && first !== 0x64),
        groups(7),
      )
      .map(([first, rest]) => toIPv6([first, ...rest]));
    fc.assert(
      fc.property(outside, (address) => {
        expect(isPublicAddress(address)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.ipV4Extended()), (text) => {
        expect(isPublicAddress(text)).toBeTypeOf("boolean");
      }),
    );
  });
});
