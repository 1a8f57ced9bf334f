import { describe, expect, it } from "vitest";
import { credentialOf } from "../../../src/gateway/credential.ts";

type Call = { method?: string; headers?: Record<string, string>; queryToken?: string };

function credential({ method = "GET", headers = {}, queryToken }: Call): string | undefined {
  return credentialOf({ method, rawHeaders: Object.entries(headers).flat() }, queryToken);
}

describe("the credential of a call", () => {
  it.each<[string, Call, string | undefined]>([
    ["Authorization", { headers: { authorization: "Bearer a.b.c" } }, "a.b.c"],
    ["Authorization in small letters", { headers: { authorization: "bearer a.b.c" } }, "a.b.c"],
    ["Authorization with spaces", { headers: { authorization: "Bearer   a.b.c  " } }, "a.b.c"],
    ["360dialog's header", { headers: { "d360-api-key": "a.b.c" } }, "a.b.c"],
    ["the query of a GET", { queryToken: "a.b.c" }, "a.b.c"],
    ["nowhere", {}, undefined],
    ["another scheme", { headers: { authorization: "Basic YTpi" } }, undefined],
    ["a scheme without a token", { headers: { authorization: "Bearer " } }, undefined],
    ["what is no token", { headers: { authorization: "Bearer a b" } }, "a b"],
    ["an empty header", { headers: { "d360-api-key": "" } }, undefined],
    ["an empty query", { queryToken: "" }, undefined],
    ["the query of a POST", { method: "POST", queryToken: "a.b.c" }, undefined],
    [
      "an empty query beside a header",
      { headers: { authorization: "Bearer a" }, queryToken: "" },
      "a",
    ],
    [
      "the same in all places",
      { headers: { authorization: "Bearer a", "d360-api-key": "a" }, queryToken: "a" },
      "a",
    ],
    [
      "another scheme beside a header",
      { headers: { authorization: "Basic YTpi", "d360-api-key": "a" } },
      "a",
    ],
    [
      "a header, while a POST's query holds another",
      { method: "POST", headers: { "d360-api-key": "a" }, queryToken: "b" },
      "a",
    ],
  ])("is taken from %s", (_name, call, expected) => {
    expect(credential(call)).toBe(expected);
  });

  it.each<[string, Call]>([
    ["headers", { headers: { authorization: "Bearer a", "d360-api-key": "b" } }],
    ["header and query", { headers: { authorization: "Bearer a" }, queryToken: "b" }],
    ["360dialog's header and query", { headers: { "d360-api-key": "a" }, queryToken: "b" }],
  ])("is refused when %s hold two different ones", (_name, call) => {
    expect(() => credential(call)).toThrow(
      expect.objectContaining({ code: "multiple_credentials", status: 400 }),
    );
  });

  it.each([
    ["Authorization", "Bearer a", "Bearer b"],
    ["D360-API-KEY", "a", "b"],
  ])("is refused when %s stands there twice, with two values", (name, value, other) => {
    const credentialBeside = (second: string) => {
      const rawHeaders = [name, value, name.toUpperCase(), second];
      return credentialOf({ method: "POST", rawHeaders }, undefined);
    };
    expect(credentialBeside(value)).toBe("a");
    expect(() => credentialBeside(other)).toThrow(
      expect.objectContaining({ code: "multiple_credentials" }),
    );
  });

  it("is not repeated in the refusal", () => {
    const call = { headers: { authorization: "Bearer s3cret", "d360-api-key": "0ther" } };
    expect(() => credential(call)).not.toThrow(/s3cret|0ther/);
  });
});
