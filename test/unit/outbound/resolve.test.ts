import { describe, expect, it } from "vitest";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";
import { createResolutionCheck, type Resolver } from "../../../src/outbound/resolve.ts";

type Records = { a?: string[] | Error; aaaa?: string[] | Error };

const noRecord = Object.assign(new Error("queryA ENODATA hooks.acme.com"), { code: "ENODATA" });
const answer = async (records: string[] | Error = noRecord) => {
  if (records instanceof Error) {
    throw records;
  }
  return records;
};

const resolverWith = ({ a, aaaa }: Records): Resolver => ({
  resolve4: () => answer(a),
  resolve6: () => answer(aaaa),
});

const check = (records: Records, { allow = "", host = "hooks.acme.com" } = {}) =>
  createResolutionCheck({
    allowList: parseAllowList(allow),
    resolver: resolverWith(records),
  })(host);

describe("the check of what a host resolves to", () => {
  it("gives all addresses, each once, IPv4 first", async () => {
    const records = { a: ["8.8.8.8", "8.8.4.4", "8.8.8.8"], aaaa: ["2606:4700:4700::1111"] };
    expect(await check(records)).toEqual({
      kind: "ok",
      addresses: ["8.8.8.8", "8.8.4.4", "2606:4700:4700::1111"],
      byAllowList: false,
    });
  });

  it.each<[string, Records]>([
    ["only IPv4", { a: ["8.8.8.8"] }],
    ["only IPv6", { aaaa: ["2606:4700:4700::1111"] }],
    ["IPv4, and a server that fails for IPv6", { a: ["8.8.8.8"], aaaa: new Error("ESERVFAIL") }],
  ])("is content with %s", async (_name, records) => {
    expect(await check(records)).toMatchObject({ kind: "ok" });
  });

  it.each<[string, Records]>([
    ["no record", {}],
    ["empty answers", { a: [], aaaa: [] }],
    ["a server that fails", { a: new Error("ESERVFAIL"), aaaa: new Error("ETIMEOUT") }],
  ])("calls a host with %s unresolvable", async (_name, records) => {
    expect(await check(records)).toMatchObject({ kind: "refused", code: "url_unresolvable" });
  });

  it.each<[string, Records]>([
    ["one private address", { a: ["10.0.0.7"] }],
    ["a private address behind a public one", { a: ["8.8.8.8", "10.0.0.7"] }],
    ["a private IPv6 address beside a public IPv4 one", { a: ["8.8.8.8"], aaaa: ["::1"] }],
    ["metadata, mapped", { aaaa: ["::ffff:169.254.169.254"] }],
    ["metadata behind NAT64", { aaaa: ["64:ff9b::a9fe:a9fe"] }],
    ["an answer that is no address", { a: ["127.1"] }],
  ])("refuses %s without naming an address", async (_name, records) => {
    expect(await check(records)).toEqual({
      kind: "refused",
      code: "url_resolves_private",
      detail: "The host name resolves to an address that is not public.",
    });
  });

  it.each(["8.8.8.8", "127.0.0.1", "[::1]", "[2606:4700:4700::1111]"])(
    "refuses the literal %s, which needs no look-up",
    async (host) => {
      expect(await check({ a: ["8.8.8.8"] }, { host })).toMatchObject({
        kind: "refused",
        code: "url_host_not_public",
      });
    },
  );

  it("takes addresses and literals in a listed range, and says that it took them by the list", async () => {
    const allow = "10.0.0.0/8,::1";
    const listed = { kind: "ok", byAllowList: true };
    expect(await check({ a: ["10.0.0.7"] }, { allow })).toMatchObject(listed);
    expect(await check({ a: ["8.8.8.8", "10.0.0.7"] }, { allow })).toMatchObject(listed);
    expect(await check({}, { allow, host: "[::1]" })).toMatchObject(listed);
    expect(await check({ a: ["8.8.8.8"] }, { allow })).toMatchObject({ byAllowList: false });
    expect(await check({ a: ["10.0.0.7", "192.168.0.1"] }, { allow })).toMatchObject({
      code: "url_resolves_private",
    });
  });

  it("does not answer for localhost unless the list names it", async () => {
    expect(await check({ a: ["127.0.0.1"] }, { host: "localhost" })).toMatchObject({
      code: "url_resolves_private",
    });
  });

  it("asks once for look-ups of one host that run together, and again afterwards", async () => {
    const asked: string[] = [];
    const checkResolution = createResolutionCheck({
      allowList: parseAllowList(""),
      resolver: {
        async resolve4(host) {
          asked.push(host);
          return ["8.8.8.8"];
        },
        resolve6: () => answer(),
      },
    });
    const hosts = ["hooks.acme.com", "HOOKS.acme.com.", "other.acme.com"];
    await Promise.all(hosts.map(checkResolution));
    expect(asked).toEqual(["hooks.acme.com", "other.acme.com"]);
    await checkResolution("hooks.acme.com");
    expect(asked).toHaveLength(3);
  });
});
