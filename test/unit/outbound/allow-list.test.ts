import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";

const dotted = (address: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

describe("parseAllowList", () => {
  it.each(["", "  ", ",", " , "])("allows nothing for %j", (text) => {
    const list = parseAllowList(text);
    expect(list.allowsHost("localhost")).toBe(false);
    expect(list.allowsHost("")).toBe(false);
    expect(list.allowsAddress("127.0.0.1")).toBe(false);
    expect(list.allowsAddress("")).toBe(false);
  });

  it("takes names, ranges and single addresses, with spaces between", () => {
    const list = parseAllowList(" localhost, Receiver.Internal. ,10.0.0.0/8,::1,192.168.7.9 ");
    expect(list.allowsHost("localhost")).toBe(true);
    expect(list.allowsHost("LOCALHOST")).toBe(true);
    expect(list.allowsHost("receiver.internal")).toBe(true);
    expect(list.allowsHost("10.200.1.1")).toBe(true);
    expect(list.allowsHost("192.168.7.9")).toBe(true);
    expect(list.allowsAddress("::1")).toBe(true);
  });

  it("matches names whole", () => {
    const list = parseAllowList("receiver.internal");
    for (const host of ["a.receiver.internal", "internal", "xreceiver.internal", "receiver"]) {
      expect(list.allowsHost(host), host).toBe(false);
    }
  });

  it("keeps addresses and names apart", () => {
    const list = parseAllowList("127.0.0.0/8,localhost");
    expect(list.allowsAddress("localhost")).toBe(false);
    expect(list.allowsHost("127.0.0.1.example.com")).toBe(false);
  });

  it("compares international names in their ASCII form", () => {
    expect(parseAllowList("bücher.example").allowsHost("xn--bcher-kva.example")).toBe(true);
  });

  it("treats an IPv4-mapped address and range as the IPv4 one", () => {
    expect(parseAllowList("10.0.0.0/8").allowsAddress("::ffff:10.1.2.3")).toBe(true);
    expect(parseAllowList("::ffff:10.0.0.0/104").allowsAddress("10.1.2.3")).toBe(true);
    expect(parseAllowList("::/0").allowsAddress("10.1.2.3")).toBe(false);
    expect(parseAllowList("0.0.0.0/0").allowsAddress("fd00::1")).toBe(false);
  });

  it.each([
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/8x",
    "10.0.0.0/1e1",
    "10.0.0.1/8",
    "fd00::1/8",
    "fd00::/129",
    "::ffff:10.0.0.0/8",
    "fe80::1%eth0",
    "10",
    "127.1",
    "2130706433",
    "0x7f000001",
    "010.0.0.1",
    "256.1.1.1",
    "[::1]",
    "localhost:3000",
    "http://localhost",
    "*.example.com",
    "my_receiver",
    "a..b",
    "-a",
    "a b",
    "user@host",
  ])("refuses %j and names it", (entry) => {
    expect(() => parseAllowList(`localhost,${entry}`)).toThrow(JSON.stringify(entry));
  });

  it("allows exactly the addresses of a range", () => {
    const value = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(value, value, fc.integer({ min: 0, max: 32 }), (base, other, bits) => {
        const size = 2 ** (32 - bits);
        const first = base - (base % size);
        const list = parseAllowList(`${dotted(first)}/${bits}`);
        expect(list.allowsAddress(dotted(base))).toBe(true);
        expect(list.allowsAddress(dotted(other))).toBe(other >= first && other < first + size);
      }),
    );
  });
});
