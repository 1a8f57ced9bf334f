import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkHeaders } from "../../../src/outbound/header-rules.ts";

const namesRefused = (headers: Record<string, string>) =>
  checkHeaders(headers).map(({ name }) => name);

describe("checkHeaders", () => {
  it.each([
    ["Authorization", "Bearer eyJhbGciOi.J9-_=="],
    ["X-Api-Key", "k"],
    ["x-token!#$%&'*+.^`|~", "~!@#$%^&*()_+"],
    ["X-Trace", "a  b"],
    ["User-Agent", "acme/1.0 (+https://acme.example)"],
    ["X-Webhook-Id", "1"],
    ["webhooks", "1"],
    ["hostname", "1"],
  ])("takes %s: %s", (name, value) => {
    expect(checkHeaders({ [name]: value })).toEqual([]);
  });

  it.each([
    "",
    "X_Token",
    "X:Token",
    ":path",
    "X Token",
    " X",
    "X\r\nY",
    "X\u0000",
    "Ü",
    "X(1)",
    "a,b",
    "a/b",
    'a"b',
    "a@b",
    "a[b]",
    "a{b}",
    "a\\b",
  ])("refuses the name %j", (name) => {
    expect(namesRefused({ [name]: "v" })).toEqual([name]);
  });

  it.each([
    "host",
    "Host",
    "content-length",
    "Content-Length",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "Proxy-Connection",
    "TE",
    "trailer",
    "Transfer-Encoding",
    "upgrade",
    "expect",
    "webhook-id",
    "Webhook-Signature",
    "webhook-",
    "X-Hub-Signature-256",
  ])("refuses %s as ours", (name) => {
    expect(checkHeaders({ [name]: "v" })).toEqual([
      { code: "header_invalid", name, detail: expect.stringContaining("cannot be set") },
    ]);
  });

  it.each([
    "",
    " ",
    " a",
    "a ",
    "a\tb",
    "a\r\nX: b",
    "a\nb",
    "a\u0000",
    "ä",
    "a\u007f",
    "😀",
    "a\u00a0b",
  ])("refuses the value %j", (value) => {
    expect(namesRefused({ "X-A": value })).toEqual(["X-A"]);
  });

  it("names every header that is refused, in order", () => {
    expect(namesRefused({ A_B: "v", Good: "v", Host: "v", Bad: "\n" })).toEqual([
      "A_B",
      "Host",
      "Bad",
    ]);
  });

  it("lets nothing through that could end a header", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (name, value) => {
        if (checkHeaders({ [name]: value }).length === 0) {
          expect(`${name}${value}`).toMatch(/^[\x20-\x7e]+$/);
          expect(name).not.toMatch(/[_:\s]/);
        }
      }),
    );
  });
});
