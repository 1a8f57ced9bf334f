import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";
import { checkEndpointUrl } from "../../../src/outbound/url-rules.ts";

const allowList = parseAllowList("");
const codesOf = (text: string) =>
  checkEndpointUrl(text, { allowList, ownHosts: [] }).map(({ code }) => code);

const octet = fc.integer({ min: 0, max: 255 });
const anyIPv4 = fc.tuple(octet, octet, octet, octet);

describe("the host of an endpoint's URL", () => {
  it.each([
    "127.0.0.1",
    "127.0.0.1.",
    "127.0.0.1..",
    "2130706433",
    "0x7f000001",
    "0X7F.1",
    "0x7f.1",
    "0177.0.0.1",
    "00000177.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "0.0.0.0",
    "8.8.8.8",
    "１２７.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2606:4700:4700::1111]",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "intranet",
    "com",
    "printer.local",
    "metadata.google.internal",
    "host.docker.internal",
    "app.localhost",
    "nas.home.arpa",
    "1.0.0.127.in-addr.arpa",
    "router.lan",
    "mail.corp",
    "tv.home",
    "wiki.intranet",
    "db.private",
    "host.localdomain",
    "hooks.test",
    "expyuzz4wqqyqhjn.onion",
    "x.alt",
    "a..acme.com",
    ".acme.com",
    "hooks.acme.com..",
    "-hooks.acme.com",
    "hooks-.acme.com",
    "hoo!ks.acme.com",
    "hooks.acme.com,evil.com",
    "*.acme.com",
    `${"a".repeat(64)}.acme.com`,
    `${"a.".repeat(126)}com`,
  ])("refuses the host %s as not public", (host) => {
    expect(codesOf(`https://${host}/`)).toEqual(["url_host_not_public"]);
  });

  it.each(["ⓛocalhost", "lOc%61lhost", "printer.ｌocal"])(
    "refuses the host %s, which WHATWG makes a private one of",
    (host) => {
      expect(codesOf(`https://${host}/`)).toEqual(["url_invalid", "url_host_not_public"]);
    },
  );

  // Both exist nowhere: the look-up says so with a code that tells more.
  it.each(["hooks.acme.example", "hooks.acme.invalid"])("leaves %s to the look-up", (host) => {
    expect(codesOf(`https://${host}/`)).toEqual([]);
  });

  it("refuses every IPv4 address in every spelling", () => {
    const radix = fc.constantFrom(
      (value: number) => String(value),
      (value: number) => `0x${value.toString(16)}`,
      (value: number) => `0${value.toString(8)}`,
      (value: number) => `0X000${value.toString(16).toUpperCase()}`,
    );
    const spelling = fc
      .tuple(
        anyIPv4,
        fc.integer({ min: 1, max: 4 }),
        fc.array(radix, { minLength: 4, maxLength: 4 }),
      )
      .map(([octets, partCount, radixes]) => {
        const last = octets.slice(partCount - 1).reduce((sum, each) => sum * 256 + each, 0);
        return [...octets.slice(0, partCount - 1), last]
          .map((part, index) => radixes[index]?.(part) ?? part)
          .join(".");
      });
    const widths = fc.constantFrom(
      (text: string) => text,
      (text: string) =>
        text.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
      (text: string) => text.replaceAll(/\d/g, (digit) => `%3${digit}`),
      (text: string) => text.replaceAll(".", "。"),
      (text: string) => `${text}.`,
    );
    fc.assert(
      fc.property(spelling, widths, (address, write) => {
        expect(codesOf(`https://${write(address)}/`)).toEqual(["url_host_not_public"]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses every IPv6 address", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(codesOf(`https://[${address}]/`)).toEqual(["url_host_not_public"]);
      }),
    );
  });
});
