import { exportJWK, generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { OutboundRequest, OutboundResult } from "../../../src/outbound/exchange.ts";
import { createIssuerKeys, KeysUnavailable } from "../../../src/tenancy/issuer-keys.ts";

const URL_OF_KEYS = "https://idp.example.com/jwks.json";
const { publicKey } = await generateKeyPair("ES256");
const jwk = await exportJWK(publicKey);

/** Keys behind a far side that answers what the test says; time stands still until it is moved. */
function keys() {
  const requests: OutboundRequest[] = [];
  const far = { kids: ["a"], answer: undefined as Partial<OutboundResult> | undefined };
  const keysOf = createIssuerKeys({
    outbound: {
      async request(request) {
        requests.push(request);
        const list = far.kids.map((kid) => ({ ...jwk, kid, alg: "ES256" }));
        return {
          kind: "answer",
          status: 200,
          headers: {},
          body: Buffer.from(JSON.stringify({ keys: list })),
          bodyTruncated: false,
          byAllowList: false,
          durationMs: 1,
          ...far.answer,
        } as OutboundResult;
      },
    },
  });
  const find = async (kid: string, url = URL_OF_KEYS): Promise<string> => {
    const token = { payload: "", signature: "" };
    return keysOf(url)({ alg: "ES256", kid }, token).then(
      () => "found",
      (error: Error) => error.name,
    );
  };
  return { requests, far, find };
}

const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

describe("the keys of an issuer", () => {
  it("are fetched when they are first needed, once for all who ask, and again after ten minutes", async () => {
    const { find, requests } = keys();
    expect(requests).toEqual([]);
    expect(await Promise.all([find("a"), find("a"), find("a")])).toEqual(
      Array.from({ length: 3 }, () => "found"),
    );
    pass(599);
    await find("a");
    expect(requests).toHaveLength(1);
    pass(1);
    await find("a");
    expect(requests).toHaveLength(2);
    expect(requests[0]).toMatchObject({ method: "GET", url: URL_OF_KEYS, answerBytesMax: 262_144 });
  });

  it("are fetched for an unknown kid, at most once in 30 seconds", async () => {
    const { find, requests, far } = keys();
    await find("a");
    far.kids = ["b"];
    expect(await find("b")).toBe("JWKSNoMatchingKey");
    pass(31);
    expect(await find("b")).toBe("found");
    expect(await find("a")).toBe("JWKSNoMatchingKey");
    for (let n = 0; n < 29; n++) {
      pass(1);
      await find(`guess ${n}`);
    }
    expect(requests).toHaveLength(2);
    pass(2);
    await find("guess");
    expect(requests).toHaveLength(3);
  });

  it("are fetched for an unknown kid at most once in 30 seconds also when that fails", async () => {
    const { find, requests, far } = keys();
    await find("a");
    pass(31);
    far.answer = { status: 500 };
    for (let n = 0; n < 29; n++) {
      expect(await find(`guess ${n}`)).toBe("KeysUnavailable");
      // Those that are known go on working.
      expect(await find("a")).toBe("found");
      pass(1);
    }
    expect(requests).toHaveLength(2);
    pass(2);
    far.answer = undefined;
    far.kids = ["a", "b"];
    expect(await find("b")).toBe("found");
  });

  it("are tried again after 5 seconds when there are none", async () => {
    const { find, requests, far } = keys();
    far.answer = { kind: "failed", reason: "timeout", detail: "No answer." };
    expect(await find("a")).toBe("KeysUnavailable");
    pass(4);
    far.answer = undefined;
    expect(await find("a")).toBe("KeysUnavailable");
    expect(requests).toHaveLength(1);
    pass(1);
    expect(await find("a")).toBe("found");
    expect(requests).toHaveLength(2);
  });

  it("of one URL have nothing to do with those of another", async () => {
    const { find, requests, far } = keys();
    far.answer = { status: 404 };
    expect(await find("a")).toBe("KeysUnavailable");
    far.answer = undefined;
    expect(await find("a", "https://other.example.com/jwks.json")).toBe("found");
    expect(requests).toHaveLength(2);
  });

  it.each<[string, Partial<OutboundResult>]>([
    ["no answer", { kind: "failed", reason: "connect", detail: "no" }],
    ["an address that is refused", { kind: "refused_address", code: "url_port", detail: "no" }],
    ["a redirect", { status: 302 }],
    ["an empty answer", { status: 204, body: Buffer.alloc(0) }],
    ["a body that is cut off", { bodyTruncated: true }],
    ["no JSON", { body: Buffer.from("<html>") }],
    ["JSON null", { body: Buffer.from("null") }],
    ["no list of keys", { body: Buffer.from('{"keys":{}}') }],
  ])("cannot be had from %s", async (_name, answer) => {
    const { find, far } = keys();
    far.answer = answer;
    expect(await find("a")).toBe(KeysUnavailable.name);
  });
});
