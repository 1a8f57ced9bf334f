import { describe, expect, it } from "vitest";
import { rewritePaging } from "../../../src/gateway/paging.ts";
import { rewriteUrls } from "../../../src/gateway/rewrite-answer.ts";

const rewrittenUrl = (json: string) =>
  rewriteUrls(Buffer.from(json), (path, text) =>
    path.length === 1 && path[0] === "url" ? `${text}#new` : undefined,
  ).toString();

describe("rewriteUrls", () => {
  it.each([
    [
      "leaves every other byte",
      '{ "id" : 12345678901234567890 , "url":"a:b","x":1.0,\n"url2":"a:b/"}',
      '{ "id" : 12345678901234567890 , "url":"a:b#new","x":1.0,\n"url2":"a:b/"}',
    ],
    [
      "finds a text that stands before it too",
      '{"data":["a:b"],"url":"a:b"}',
      '{"data":["a:b#new"],"url":"a:b#new"}',
    ],
    ["leaves a text that is no URL", '{"name":"","url":""}', '{"name":"","url":""}'],
    ["finds a text with escaped slashes", '{"url":"https:\\/\\/x"}', '{"url":"https://x#new"}'],
    ["finds a text with escaped letters", '{"url":"\\u0061:b"}', '{"url":"a:b#new"}'],
    ["leaves a text that is deeper", '{"data":{"url":"a:b"}}', '{"data":{"url":"a:b"}}'],
    ["leaves a text in a list", '[{"url":"a:b"}]', '[{"url":"a:b"}]'],
    ["leaves what is no text", '{"url":null}', '{"url":null}'],
    ["leaves what is no JSON", "Bad gateway", "Bad gateway"],
  ])("%s", (_name, json, expected) => {
    expect(rewrittenUrl(json)).toBe(expected);
  });

  it("gives bytes that are not UTF-8 back as they are", () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    expect(rewriteUrls(bytes, () => "x").equals(bytes)).toBe(true);
  });

  it("takes a dollar sign for a dollar sign", () => {
    expect(rewriteUrls(Buffer.from('{"url":"a:b"}'), () => "$& $1 $'").toString()).toBe(
      '{"url":"$& $1 $\'"}',
    );
  });
});

const answer = (next: string) =>
  Buffer.from(JSON.stringify({ data: [{ name: "a" }], paging: { cursors: { after: "A" }, next } }));

describe("rewritePaging", () => {
  const call = {
    publicUrl: "https://gateway.example",
    path: "/v23.0/102290129340398/message_templates",
    queryNumberId: undefined,
    queryToken: undefined,
  };
  const next = (upstream: string, options: Partial<typeof call> = {}) => {
    const rewritten = rewritePaging(answer(upstream), { ...call, ...options });
    return (JSON.parse(rewritten.toString()) as { paging: { next: string } }).paging.next;
  };

  it("leads to us, in the caller's form, without upstream's token", () => {
    expect(
      next(
        "https://graph.facebook.com/v19.0/1/message_templates?access_token=EAAG&limit=2&after=M%3D",
      ),
    ).toBe("https://gateway.example/v23.0/102290129340398/message_templates?limit=2&after=M%3D");
  });

  it("puts back what the caller named in its query", () => {
    const options = { queryNumberId: "1065", queryToken: "a.b+c" } as never;
    expect(next("https://graph.facebook.com/x?access_token=E&after=M", options)).toBe(
      "https://gateway.example/v23.0/102290129340398/message_templates?after=M&phone_number_id=1065&access_token=a.b%2Bc",
    );
  });

  it("rewrites `previous` too and nothing else", () => {
    const body = Buffer.from(
      '{"data":[{"paging":{"next":"https://u/x?a=1"}}],"paging":{"previous":"https://u/x?b=1","other":"https://u/x"}}',
    );
    expect(rewritePaging(body, { ...call, path: "/t" }).toString()).toBe(
      '{"data":[{"paging":{"next":"https://u/x?a=1"}}],"paging":{"previous":"https://gateway.example/t?b=1","other":"https://u/x"}}',
    );
  });

  it("leaves an answer without pages as it is", () => {
    const body = Buffer.from('{"data":[]}');
    expect(rewritePaging(body, call)).toBe(body);
  });
});
