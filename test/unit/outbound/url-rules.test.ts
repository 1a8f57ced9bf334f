import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";
import { checkEndpointUrl } from "../../../src/outbound/url-rules.ts";

const codesOf = (text: string, { allow = "", own = ["gateway.acme.com"] } = {}) =>
  checkEndpointUrl(text, { allowList: parseAllowList(allow), ownHosts: own }).map(
    ({ code }) => code,
  );

describe("checkEndpointUrl", () => {
  it.each([
    "https://hooks.acme.com",
    "https://hooks.acme.com/",
    "HTTPS://Hooks.Acme.COM/Path",
    "https://hooks.acme.com/path_with_underscore:80/x?a_b=1:2&c=[d]",
    "https://hooks.acme.com/a@b",
    "https://hooks.acme.com?x=https://other.com:8080/",
    "https://hooks.acme.com/%0A%20",
    "https://hooks.acme.com/weiß",
    "https://xn--bcher-kva.de/x",
    "https://bücher.de/x",
    "https://BÜCHER.de/x",
    "https://例え.jp/",
    "https://hooks.acme.com./",
    "https://1-2-3.acme.com/",
    "https://127.0.0.1.acme.com/",
    "https://a.b.c.d.e.acme.co.uk/",
    "https://not360dialog.io/",
    "https://360dialog.io.acme.com/",
    "https://sub.gateway.acme.com/",
    "https://localhost.acme.com/",
    `https://hooks.acme.com/${"a".repeat(2048 - 23)}`,
  ])("takes %s", (text) => {
    expect(codesOf(text)).toEqual([]);
  });

  it.each([
    ["nothing", "", ["url_invalid"]],
    ["no scheme", "hooks.acme.com/x", ["url_invalid"]],
    ["no host", "https://", ["url_invalid"]],
    ["a relative URL", "//hooks.acme.com/", ["url_invalid"]],
    ["one slash", "https:/hooks.acme.com/", ["url_invalid"]],
    ["no slash", "https:hooks.acme.com/", ["url_invalid"]],
    ["three slashes", "https:///hooks.acme.com/", ["url_invalid"]],
    ["backslashes for slashes", "https:\\\\hooks.acme.com\\x", ["url_invalid"]],
    ["a backslash after the host", "https://hooks.acme.com\\@evil.com/", ["url_invalid"]],
    ["a backslash in the path", "https://hooks.acme.com/a\\b", ["url_invalid"]],
    ["a space before", " https://hooks.acme.com/", ["url_invalid"]],
    ["a line end after", "https://hooks.acme.com/\n", ["url_invalid"]],
    ["a tab in the host", "https://hooks.ac\tme.com/", ["url_invalid"]],
    ["a line end in the scheme", "ht\ntps://hooks.acme.com/", ["url_invalid"]],
    ["a space in the host", "https://hooks acme.com/", ["url_invalid"]],
    ["a space in the path", "https://hooks.acme.com/a b", ["url_invalid"]],
    ["a no-break space", "https://hooks.acme.com/a\u00a0b", ["url_invalid"]],
    ["a NUL", "https://hooks.acme.com/\u0000", ["url_invalid"]],
    ["a lone surrogate", "https://hooks.acme.com/\ud800", ["url_invalid"]],
    ["a percent-encoded letter in the host", "https://h%6foks.acme.com/", ["url_invalid"]],
    ["letters of another width", "https://ｈooks.acme.com/", ["url_invalid"]],
    ["an invisible letter", "https://hoo\u00adks.acme.com/", ["url_invalid"]],
    ["an ideographic dot", "https://hooks。acme.com/", ["url_invalid"]],
    ["broken punycode", "https://xn--a.com\u0300/", ["url_invalid"]],
    ["a port out of range", "https://hooks.acme.com:65536/", ["url_invalid", "url_port"]],
    ["a port that is a word", "https://hooks.acme.com:https/", ["url_invalid", "url_port"]],
    ["a character too many", `https://hooks.acme.com/${"a".repeat(2048 - 22)}`, ["url_too_long"]],
    ["plain http", "http://hooks.acme.com/", ["url_not_https"]],
    ["another scheme", "ftp://hooks.acme.com/", ["url_not_https"]],
    ["a WebSocket", "wss://hooks.acme.com/", ["url_not_https"]],
    ["a script", "javascript:alert(1)", ["url_invalid", "url_not_https"]],
    ["a file", "file:///etc/passwd", ["url_invalid", "url_not_https"]],
    ["an underscore", "https://my_hooks.acme.com/", ["url_host_underscore"]],
    ["an underscore at the front", "https://_dmarc.acme.com/", ["url_host_underscore"]],
    ["a wide underscore", "https://my＿hooks.acme.com/", ["url_invalid", "url_host_underscore"]],
    [
      "an encoded underscore",
      "https://my%5Fhooks.acme.com/",
      ["url_invalid", "url_host_underscore"],
    ],
    ["443, which WHATWG drops", "https://hooks.acme.com:443/", ["url_port"]],
    ["443 with zeros", "https://hooks.acme.com:000443/", ["url_port"]],
    ["an empty port", "https://hooks.acme.com:/", ["url_port"]],
    ["another port", "https://hooks.acme.com:8443/", ["url_port"]],
    ["a port before a query", "https://hooks.acme.com:443?x", ["url_port"]],
    ["a user", "https://user@hooks.acme.com/", ["url_credentials"]],
    ["a user and password with _ and :", "https://u_s:p_w@hooks.acme.com/", ["url_credentials"]],
    ["empty credentials", "https://@hooks.acme.com/", ["url_credentials"]],
    ["two @", "https://a@b@hooks.acme.com/", ["url_credentials"]],
    ["a fragment", "https://hooks.acme.com/#x", ["url_fragment"]],
    ["an empty fragment", "https://hooks.acme.com/#", ["url_fragment"]],
    ["our own host", "https://gateway.acme.com/hooks/x", ["url_host_own"]],
    ["our own host in other letters", "https://GATEWAY.acme.com./", ["url_host_own"]],
    ["the Messaging API", "https://waba-v2.360dialog.io/messages", ["url_host_own"]],
    ["the hub", "https://hub.360dialog.io/", ["url_host_own"]],
    ["360dialog itself", "https://360dialog.com/", ["url_host_own"]],
    ["our own host on a port", "https://gateway.acme.com:8443/", ["url_port", "url_host_own"]],
  ])("refuses %s: %s", (_name, text, codes) => {
    expect(codesOf(text)).toEqual(codes);
  });

  it("names all broken rules at once, in a fixed order, each with a text", () => {
    const broken = checkEndpointUrl(`http://u:p@my_host:8080/${"a".repeat(2048)}#x`, {
      allowList: parseAllowList(""),
      ownHosts: ["my_host"],
    });
    expect(broken.map(({ code }) => code)).toEqual([
      "url_too_long",
      "url_not_https",
      "url_host_underscore",
      "url_port",
      "url_credentials",
      "url_fragment",
      "url_host_not_public",
      "url_host_own",
    ]);
    for (const { detail } of broken) {
      expect(detail).toMatch(/^The .+\.$/);
    }
  });

  it("takes nothing that WHATWG reads as another host, scheme or port", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "https",
        ":",
        "/",
        "//",
        "\\",
        "@",
        "#",
        "?",
        "_",
        ".",
        "[",
        "]",
        "%2e",
        "\t",
      ),
      fc.constantFrom(
        "hooks.acme.com",
        "127.0.0.1",
        "localhost",
        "evil.com",
        "443",
        "１",
        "。",
        " ",
      ),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
      fc.array(piece, { maxLength: 6 }).map((pieces) => `https://${pieces.join("")}`),
      fc.array(piece, { maxLength: 6 }).map((pieces) => `https://hooks.acme.com${pieces.join("")}`),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        if (codesOf(candidate).length === 0) {
          const url = new URL(candidate);
          expect(url.protocol).toBe("https:");
          expect(url.port + url.username + url.password + url.hash).toBe("");
          expect(url.hostname).toMatch(/^[a-z0-9.-]+$/);
          const written = candidate.slice("https://".length).split(/[/?]/, 1)[0] ?? "";
          expect(new URL(`https://${written}`).hostname).toBe(url.hostname);
          expect(written).not.toMatch(/[_:@\\\s]/);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("the allow list of checkEndpointUrl", () => {
  it.each([
    ["a name", "http://localhost:3000/x", "localhost"],
    ["a name in other letters", "http://LOCALHOST:3000/x", "localhost"],
    ["an address in a range", "http://127.0.0.1:3000/", "127.0.0.0/8"],
    ["another spelling of that address", "http://0x7f.1:3000/", "127.0.0.0/8"],
    ["an IPv6 address", "http://[::1]:3000/", "::1/128"],
    ["a mapped address", "http://[::ffff:127.0.0.1]:3000/", "127.0.0.0/8"],
    ["a private name on https", "https://receiver.internal/", "receiver.internal"],
  ])("exempts %s from https, port and being public", (_name, text, allow) => {
    expect(codesOf(text, { allow })).toEqual([]);
    expect(codesOf(text)).not.toEqual([]);
  });

  it("exempts only what it names", () => {
    const allow = "127.0.0.1/32,receiver.internal";
    for (const host of ["127.0.0.2", "localhost", "a.receiver.internal", "[::1]"]) {
      expect(codesOf(`http://${host}:3000/`, { allow })).toEqual([
        "url_not_https",
        "url_port",
        "url_host_not_public",
      ]);
    }
  });

  it("exempts from nothing else", () => {
    const long = "a".repeat(2048);
    expect(
      codesOf(` http://u:p@localhost:80/${long}#f`, { allow: "localhost", own: ["localhost"] }),
    ).toEqual(["url_invalid", "url_too_long", "url_credentials", "url_fragment", "url_host_own"]);
    expect(codesOf("ftp://localhost/", { allow: "localhost" })).toEqual(["url_not_https"]);
    expect(codesOf("https://hub.360dialog.io/", { allow: "hub.360dialog.io" })).toEqual([
      "url_host_own",
    ]);
  });

  // A development gateway on 127.0.0.1:8080 must be able to deliver to a receiver on 127.0.0.1:3000.
  it("takes a host of our own that names a port for that port only", () => {
    const options = { allow: "127.0.0.0/8", own: ["127.0.0.1:8080"] };
    expect(codesOf("http://127.0.0.1:3000/", options)).toEqual([]);
    expect(codesOf("http://127.0.0.1:8080/", options)).toEqual(["url_host_own"]);
    expect(codesOf("http://2130706433:8080/", options)).toEqual(["url_host_own"]);
  });
});
