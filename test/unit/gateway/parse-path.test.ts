import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePath } from "../../../src/gateway/parse-path.ts";

const PID = "106540352242922";
const WABA = "102290129340398";
const MEDIA = "1013859600285441";

/** What a path comes to, in short: the number or WABA before `:`, then the rest. */
function short(url: string): string {
  const { pathId, segments, search } = parsePath(url);
  return `${pathId ?? ""}:/${segments.join("/")}${search}`;
}

describe("the forms of a path", () => {
  it.each([
    // 360dialog
    ["/messages", ":/messages"],
    ["/messages/", ":/messages"],
    ["/v1/messages", ":/messages"],
    ["/health_status", ":/health_status"],
    ["/v1/health_status", ":/health_status"],
    [`/${MEDIA}`, `:/${MEDIA}`],
    [`/v1/media/${MEDIA}`, `:/${MEDIA}`],
    [`/media/${MEDIA}`, `:/${MEDIA}`],
    ["/media", ":/media"],
    ["/v1/media", ":/media"],
    ["/v1/configs/webhook", ":/v1/configs/webhook"],
    ["/v1/configs/webhook/", ":/v1/configs/webhook"],
    ["/v1/configs/templates", ":/v1/configs/templates"],
    ["/v1/configs/templates/order_ready", ":/v1/configs/templates/order_ready"],
    ["/v1/health", ":/v1/health"],
    ["/waba_webhook", ":/waba_webhook"],
    ["/upload:MTphdHRhY2g=", ":/upload:MTphdHRhY2g="],
    ["/calling/permissions/15550002222", ":/calling/permissions/15550002222"],
    [
      `/whatsapp_business/attachments/?mid=${MEDIA}&ext=1750000300&hash=AT-w_s`,
      `:/whatsapp_business/attachments?mid=${MEDIA}&ext=1750000300&hash=AT-w_s`,
    ],
    // Cloud API
    [`/v23.0/${PID}/messages`, `${PID}:/messages`],
    [`/v23.0/${PID}/messages/`, `${PID}:/messages`],
    [`/v24/${PID}/messages`, `${PID}:/messages`],
    [`/v1/${PID}/messages`, `${PID}:/messages`],
    [`/v1.0/${PID}/messages`, `${PID}:/messages`],
    [`/${PID}/messages`, `${PID}:/messages`],
    ["/v23.0/messages", ":/messages"],
    ["/PHONE_NUMBER_ID/messages", ":/messages"],
    ["/v23.0/PHONE_NUMBER_ID/messages", ":/messages"],
    [`/v23.0/${PID}/media`, `${PID}:/media`],
    [`/v23.0/${MEDIA}`, `:/${MEDIA}`],
    [`/v23.0/${MEDIA}/`, `:/${MEDIA}`],
    [`/v23.0/${PID}/whatsapp_business_profile`, `${PID}:/whatsapp_business_profile`],
    [`/v23.0/${PID}/message_qrdls/ABCDEF`, `${PID}:/message_qrdls/ABCDEF`],
    [`/v23.0/${WABA}/message_templates?limit=2`, `${WABA}:/message_templates?limit=2`],
    // Both at once: 360dialog's own paths behind a Cloud API base URL.
    [`/v23.0/${PID}/v1/configs/webhook`, `${PID}:/v1/configs/webhook`],
    [`/${PID}/v1/messages`, `${PID}:/messages`],
    ["/v23.0/v1/configs/webhook", ":/v1/configs/webhook"],
  ])("include %s", (url, expected) => {
    expect(short(url)).toBe(expected);
  });

  it.each([
    ["nothing", "", ":/"],
    ["the root", "/", ":/"],
    ["a star", "*", ":/"],
    ["a number alone", `/${PID}`, `:/${PID}`],
    ["a number alone, to be registered", `/v23.0/${PID}/`, `:/${PID}`],
    ["a placeholder alone", "/PHONE_NUMBER_ID", ":/PHONE_NUMBER_ID"],
    ["a version alone", "/v23.0", ":/"],
    ["two numbers", `/${PID}/${PID}/messages`, `${PID}:/${PID}/messages`],
    ["an empty segment in front", "//messages", "://messages"],
    ["an empty segment at the end", "/messages//", ":/messages/"],
    ["an empty segment behind the number", `/${PID}//messages`, `${PID}://messages`],
    ["dots", "/../messages", ":/../messages"],
    ["dots behind a number", `/${PID}/../messages`, `${PID}:/../messages`],
    ["encoded dots", "/%2e%2e/messages", ":/%2e%2e/messages"],
    ["an encoded slash", `/${PID}%2Fmessages`, `:/${PID}%2Fmessages`],
    ["encoded letters", "/%6Dessages", ":/%6Dessages"],
    ["encoded digits", "/%31/messages", ":/%31/messages"],
    ["digits of another script", "/%D9%A1/messages", ":/%D9%A1/messages"],
    ["a version in capitals", "/V23.0/messages", ":/V23.0/messages"],
    ["a version with more dots", "/v23.0.1/messages", ":/v23.0.1/messages"],
    ["a whole URL", "http://example.com/messages", "://example.com/messages"],
    ["a fragment", "/messages#x", ":/messages#x"],
    ["a backslash", "/\\messages", ":/\\messages"],
    ["very many digits", `/${"9".repeat(5000)}/messages`, `${"9".repeat(5000)}:/messages`],
  ])("leave %s as it is", (_name, url, expected) => {
    expect(short(url)).toBe(expected);
  });

  it("give an answer for any URL at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (url) => {
        expect(parsePath(`/${url}`).segments).toBeInstanceOf(Array);
      }),
    );
  });

  it("are all read alike", () => {
    const segment = fc.stringMatching(/^[a-z_]{1,20}$/).filter((text) => text !== "media");
    const rest = fc.array(segment, { minLength: 1, maxLength: 3 });
    const version = fc.constantFrom("", "/v1", "/v23.0", "/v7");
    fc.assert(
      fc.property(rest, version, fc.boolean(), (segments, prefix, slash) => {
        fc.pre(!["configs", "health"].includes(segments[0] ?? ""));
        const path = `/${segments.join("/")}${slash ? "/" : ""}`;
        expect(parsePath(prefix + path)).toMatchObject({ segments, pathId: undefined });
        expect(parsePath(`${prefix}/${PID}${path}`)).toMatchObject({ segments, pathId: PID });
      }),
    );
  });
});

describe("the query", () => {
  it.each([
    ["nothing", "", {}],
    ["a bare question mark", "?", {}],
    ["an order", "?b=2&a=1", { search: "?b=2&a=1" }],
    ["repeated names", "?a=1&a=2", { search: "?a=1&a=2" }],
    ["encodings", "?q=%7B%22a%22%3A1%7d+%20", { search: "?q=%7B%22a%22%3A1%7d+%20" }],
    ["wrong encodings", "?q=%zz%", { search: "?q=%zz%" }],
    ["question marks", "?a=?b", { search: "?a=?b" }],
    ["names without values", "?a&b=", { search: "?a&b=" }],
    ["empty parts", "?a&&b&", { search: "?a&&b&" }],
    ["slashes and dots", "?u=https://h/../x", { search: "?u=https://h/../x" }],
    ["other spellings", "?Access_Token=t", { search: "?Access_Token=t" }],
    ["other names", "?phone_number_ids=1", { search: "?phone_number_ids=1" }],
    ["brackets", "?f[0]=a&f[1]=b", { search: "?f[0]=a&f[1]=b" }],
  ])("keeps %s byte for byte", (_name, query, expected) => {
    expect(parsePath(`/messages${query}`)).toMatchObject({
      search: "",
      queryNumberId: undefined,
      queryToken: undefined,
      ...expected,
    });
  });

  it.each([
    ["?access_token=t", { search: "", queryToken: "t" }],
    ["?phone_number_id=1", { search: "", queryNumberId: "1" }],
    ["?access_token=t&phone_number_id=1", { search: "", queryToken: "t", queryNumberId: "1" }],
    ["?access_token=a%2Bb%3D&x=%2B", { search: "?x=%2B", queryToken: "a+b=" }],
    ["?a=1&access_token=t&b=%20", { search: "?a=1&b=%20", queryToken: "t" }],
    ["?a=1&&access_token=t&&b=2&", { search: "?a=1&&&b=2&", queryToken: "t" }],
    ["?%61ccess_token=t&a=1", { search: "?a=1", queryToken: "t" }],
    ["?access%5Ftoken=t", { search: "", queryToken: "t" }],
    ["?access_token=", { search: "", queryToken: "" }],
    ["?access_token", { search: "", queryToken: "" }],
  ])("is freed of what is the gateway's own: %s", (query, expected) => {
    expect(parsePath(`/messages${query}`)).toMatchObject(expected);
  });

  it.each([
    ["?access_token=a&access_token=b", "multiple_credentials"],
    ["?access_token=a&x=1&%61ccess_token=b", "multiple_credentials"],
    ["?phone_number_id=1&phone_number_id=2", "phone_number_conflict"],
  ])("is refused when it says two different things: %s", (query, code) => {
    expect(() => parsePath(`/messages${query}`)).toThrow(
      expect.objectContaining({ code, status: 400 }),
    );
  });

  it("may say the same thing twice", () => {
    expect(parsePath("/messages?phone_number_id=1&phone_number_id=1")).toMatchObject({
      queryNumberId: "1",
      search: "",
    });
  });

  it("never keeps a token, however it is written", () => {
    const odd = fc.constantFrom("a=1", "", "x=%zz", "q", "a=b=c", "phone_number_id=1");
    const written = fc.constantFrom("access_token=T0KEN", "%61ccess_token=T0KEN");
    fc.assert(
      fc.property(fc.array(odd), written, fc.array(odd), (before, token, after) => {
        const { search } = parsePath(`/x?${[...before, token, ...after].join("&")}`);
        expect(search).not.toContain("T0KEN");
      }),
    );
  });
});
