import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { attachmentSearch, createMediaUrls } from "../../../src/gateway/media-url.ts";

const PUBLIC_URL = "https://gateway.example/base";
const UPSTREAM =
  "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=101385&ext=1727097743&hash=ATu6wf-ux";
const OWNER = {
  tenantId: "ten_01jd8qv4m0x5k7r2t9w3y6z1ab",
  numberId: "num_01jd8qv4m0x5k7r2t9w3y6z1cd",
};
const KEY = randomBytes(32);

const urls = (nowMs = 0, keys = [KEY]) =>
  createMediaUrls({ publicUrl: PUBLIC_URL, keys, now: () => nowMs });
const queryOf = (url: string | undefined) => new URL(url ?? "").searchParams;

describe("a media URL", () => {
  it("is upstream's path and parameters on our origin, with our signature behind them", () => {
    const signed = urls().sign(UPSTREAM, OWNER);
    expect(signed).toMatch(
      /^https:\/\/gateway\.example\/base\/whatsapp_business\/attachments\/\?mid=101385&ext=1727097743&hash=ATu6wf-ux&exp=300&sig=/,
    );
  });

  it("leads to its owner for five minutes", () => {
    const query = queryOf(urls(0).sign(UPSTREAM, OWNER));
    expect(urls(300_000).verify(query)).toEqual(OWNER);
    expect(urls(300_001).verify(query)).toBeUndefined();
  });

  it.each([
    ["mid", "101386"],
    ["ext", "1727097744"],
    ["hash", "ATu6wf-uy"],
    ["exp", "301"],
    ["exp", "1e9"],
    ["exp", ""],
    ["sig", ""],
    ["sig", `${OWNER.tenantId}.${OWNER.numberId}.${"A".repeat(43)}`],
  ])("with another %s (%s) leads to nobody", (name, value) => {
    const query = queryOf(urls().sign(UPSTREAM, OWNER));
    query.set(name, value);
    expect(urls().verify(query)).toBeUndefined();
  });

  it.each(["tenantId", "numberId"] as const)("with another %s leads to nobody", (name) => {
    const query = queryOf(urls().sign(UPSTREAM, OWNER));
    const other = OWNER[name].replace(/..$/, "zz");
    query.set("sig", (query.get("sig") ?? "").replace(OWNER[name], other));
    expect(urls().verify(query)).toBeUndefined();
  });

  it("outlives the change of its key, and not its loss", () => {
    const query = queryOf(urls().sign(UPSTREAM, OWNER));
    expect(urls(0, [randomBytes(32), KEY]).verify(query)).toEqual(OWNER);
    expect(urls(0, [randomBytes(32)]).verify(query)).toBeUndefined();
  });

  it.each(["https://lookaside.fbsbx.com/other/?mid=1", "/relative", "not a url", ""])(
    "that is no attachment's stays as it is: %s",
    (url) => {
      expect(urls().sign(url, OWNER)).toBeUndefined();
    },
  );

  it("takes nothing upstream but what names the file", () => {
    const query = new URLSearchParams("x=1&hash=a%2Bb&mid=1&sig=s&exp=2&ext=3");
    expect(attachmentSearch(query)).toBe("?mid=1&ext=3&hash=a%2Bb");
  });
});
