import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Exchange, UpstreamCall } from "../../../src/dialog360/exchange.ts";
import { createOrigins } from "../../../src/dialog360/origins.ts";
import { createCallWithKey } from "../../../src/gateway/call-with-key.ts";
import { createForward, type ForwardedCall } from "../../../src/gateway/forward.ts";
import { Secret } from "../../../src/secret.ts";
import type { DirectoryNumber } from "../../../src/tenancy/directory.ts";

const answer = (status: number): Exchange => ({
  kind: "answer",
  status,
  headers: {},
  body: Buffer.from("{}"),
});

function numberWith(key: string | undefined, fields: Partial<DirectoryNumber> = {}) {
  const apiKey = key === undefined ? undefined : new Secret(key);
  return {
    id: "num_a",
    tenantId: "ten_a",
    phoneNumberId: "101",
    wabaId: null,
    state: "running",
    throughput: 80,
    guards: undefined,
    baseUrl: null,
    apiKeySealed: null,
    rotating: false,
    apiKey: () => apiKey,
    ...fields,
  } satisfies DirectoryNumber;
}

/** A 360dialog that gives these in turn, and the number as the database has it, look by look. */
function forwarding(
  exchanges: Exchange[],
  ...reloaded: [...DirectoryNumber[], DirectoryNumber | undefined] | []
) {
  const calls: UpstreamCall[] = [];
  const rejected: DirectoryNumber[] = [];
  const forward = createForward({
    upstream: {
      exchange: async (call) => {
        calls.push(call);
        return exchanges[calls.length - 1] ?? answer(500);
      },
    },
    origins: createOrigins({
      baseUrl: "https://upstream.example",
      allowedOrigins: ["https://own.example"],
    }),
    callWithKey: createCallWithKey({
      reloadNumber: async () => (reloaded.length > 1 ? reloaded.shift() : reloaded[0]),
      markKeyRejected: async (number) => void rejected.push(number),
      withinMs: 400,
    }),
  });
  return { forward, calls, rejected, keys: () => calls.map(({ apiKey }) => apiKey.reveal()) };
}

const send: ForwardedCall = {
  method: "POST",
  path: "/messages?x=1",
  headers: ["content-type", "application/json"],
  body: Buffer.from("{}"),
  messageId: "msg_a",
};
const read: ForwardedCall = { ...send, method: "GET", body: null, messageId: undefined };

describe("a forwarded call", () => {
  it("carries the number's own key to the default base URL", async () => {
    const { forward, calls } = forwarding([answer(200)]);
    await forward(numberWith("K1"), send);
    expect(calls).toMatchObject([
      {
        origin: "https://upstream.example",
        method: "POST",
        path: "/messages?x=1",
        headers: ["content-type", "application/json"],
        body: Buffer.from("{}"),
      },
    ]);
    expect(calls[0]?.apiKey.reveal()).toBe("K1");
  });

  it("goes to the number's base URL where it has one", async () => {
    const { forward, calls } = forwarding([answer(200)]);
    await forward(numberWith("K1", { baseUrl: "https://own.example" }), send);
    expect(calls[0]?.origin).toBe("https://own.example");
  });

  it("never takes the key to a base URL that the operator does not allow", async () => {
    const { forward, calls } = forwarding([answer(200)]);
    const number = numberWith("K1", { baseUrl: "https://elsewhere.example" });
    await expect(forward(number, send)).rejects.toMatchObject({ code: "upstream_unreachable" });
    expect(calls).toEqual([]);
  });

  it.each([200, 201, 301, 400, 403, 404, 429, 500, 503])(
    "brings an answer with status %d back, and is not made twice",
    async (status) => {
      const { forward, calls, rejected } = forwarding([answer(status)]);
      expect(await forward(numberWith("K1"), send)).toMatchObject({ status });
      expect(calls).toHaveLength(1);
      expect(rejected).toEqual([]);
    },
  );

  it.each<[string, DirectoryNumber, string]>([
    ["is suspended", numberWith("K1", { state: "suspended" }), "tenant_suspended"],
    ["is not running yet", numberWith("K1", { state: "pending" }), "api_key_rejected"],
    ["has a refused key", numberWith("K1", { state: "key_rejected" }), "api_key_rejected"],
    ["has no key", numberWith(undefined), "api_key_rejected"],
  ])("is not made for a number that %s", async (_name, number, code) => {
    const { forward, calls } = forwarding([answer(200)]);
    await expect(forward(number, send)).rejects.toMatchObject({ code });
    expect(calls).toEqual([]);
  });
});

describe("a refused key", () => {
  it("is replaced by the one that the database has by now", async () => {
    const { forward, keys, rejected } = forwarding([answer(401), answer(200)], numberWith("K2"));
    expect(await forward(numberWith("K1"), send)).toMatchObject({ status: 200 });
    expect(keys()).toEqual(["K1", "K2"]);
    expect(rejected).toEqual([]);
  });

  it("is waited for a moment, and looked for once for all calls that met it", async () => {
    const exchanges = [answer(401), answer(401), answer(200), answer(200)];
    const later = [numberWith("K1"), numberWith("K2")] as const;
    const { forward, keys, rejected } = forwarding(exchanges, ...later);
    const number = numberWith("K1");
    const both = await Promise.all([forward(number, send), forward(number, read)]);
    expect(both).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(keys()).toEqual(["K1", "K1", "K2", "K2"]);
    expect(rejected).toEqual([]);
  });

  it("is asked with by no other call while its successor is looked for", async () => {
    const later = [numberWith("K1"), numberWith("K1"), numberWith("K2")] as const;
    const { forward, keys } = forwarding([answer(401), answer(200), answer(200)], ...later);
    const number = numberWith("K1");
    const first = forward(number, send);
    await new Promise((resolve) => setImmediate(resolve));
    const both = await Promise.all([first, forward(number, send)]);
    expect(both).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(keys()).toEqual(["K1", "K2", "K2"]);
  });

  it("is followed through several changes, each of which has ended", async () => {
    const rotating = { rotating: true };
    const later = [
      numberWith("K1", rotating),
      numberWith("K2", rotating),
      numberWith("K3"),
      numberWith("K4"),
    ] as const;
    const { forward, keys, rejected } = forwarding(
      [answer(401), answer(401), answer(200)],
      ...later,
    );
    expect(await forward(numberWith("K1"), send)).toMatchObject({ status: 200 });
    expect(keys()).toEqual(["K1", "K3", "K4"]);
    expect(rejected).toEqual([]);
  });

  it("that is being changed sends back what was streamed, at once", async () => {
    const { forward, rejected } = forwarding([answer(401)], numberWith("K1", { rotating: true }));
    const upload = { ...read, body: Readable.from(["a file"]) };
    await expect(forward(numberWith("K1"), upload)).rejects.toMatchObject({ code: "key_rotating" });
    expect(rejected).toEqual([]);
  });

  it("that has a successor sends back what was streamed", async () => {
    const { forward, rejected } = forwarding([answer(401)], numberWith("K2"));
    const upload = { ...read, body: Readable.from(["a file"]) };
    await expect(forward(numberWith("K1"), upload)).rejects.toMatchObject({
      code: "key_rotating",
      status: 503,
    });
    expect(rejected).toEqual([]);
  });

  it.each<[string, DirectoryNumber | undefined]>([
    ["is the newest there is", numberWith("K1")],
    ["is of a number that is gone", undefined],
    ["is of a number that has been suspended", numberWith("K2", { state: "suspended" })],
    ["has been taken away", numberWith(undefined)],
  ])("that %s is never the tenant's trouble, and not tried again", async (_name, reloaded) => {
    const { forward, calls, rejected } = forwarding([answer(401)], reloaded);
    await expect(forward(numberWith("K1"), send)).rejects.toMatchObject({
      code: "api_key_rejected",
      status: 502,
    });
    expect(calls).toHaveLength(1);
    expect(rejected).toHaveLength(1);
  });

  it("and a refused newer one are tried once each", async () => {
    const { forward, keys, rejected } = forwarding(
      [answer(401), answer(401), answer(200)],
      numberWith("K2"),
    );
    await expect(forward(numberWith("K1"), send)).rejects.toMatchObject({
      code: "api_key_rejected",
    });
    expect(keys()).toEqual(["K1", "K2"]);
    expect(rejected.map((number) => number.apiKey()?.reveal())).toEqual(["K2"]);
  });
});

describe("a key that is being changed", () => {
  const rotating = { rotating: true };

  it("is waited for before anything is asked, also where the old one was refused", async () => {
    for (const state of ["running", "key_rejected"] as const) {
      const before = numberWith("K1", { rotating: true, state });
      const { forward, keys } = forwarding([answer(200)], before, before, numberWith("K2"));
      expect(await forward(before, send)).toMatchObject({ status: 200 });
      expect(keys()).toEqual(["K2"]);
    }
  });

  it("is not waited for longer than so long; then the call goes with the one there is", async () => {
    const { forward, keys } = forwarding([answer(200)], numberWith("K1", rotating));
    expect(await forward(numberWith("K1", rotating), send)).toMatchObject({ status: 200 });
    expect(keys()).toEqual(["K1"]);
  });

  it("makes no call of a suspended number wait", async () => {
    const { forward, calls } = forwarding([answer(200)]);
    const number = numberWith("K1", { rotating: true, state: "suspended" });
    await expect(forward(number, send)).rejects.toMatchObject({ code: "tenant_suspended" });
    expect(calls).toEqual([]);
  });
});

describe("a call without an answer", () => {
  const cause = new Error("socket hang up");

  it.each<[string, ForwardedCall, Exchange, string]>([
    ["a send that was not written", send, { kind: "not_sent", cause }, "upstream_unreachable"],
    [
      "a send that was written",
      send,
      { kind: "unanswered", timedOut: false, cause },
      "outcome_unknown",
    ],
    [
      "a send that took too long",
      send,
      { kind: "unanswered", timedOut: true, cause },
      "outcome_unknown",
    ],
    ["a read that was not written", read, { kind: "not_sent", cause }, "upstream_unreachable"],
    [
      "a read that broke off",
      read,
      { kind: "unanswered", timedOut: false, cause },
      "upstream_unreachable",
    ],
    [
      "a read that took too long",
      read,
      { kind: "unanswered", timedOut: true, cause },
      "upstream_timeout",
    ],
  ])("is told apart and never made again: %s", async (_name, call, exchange, code) => {
    const { forward, calls } = forwarding([exchange, answer(200)]);
    await expect(forward(numberWith("K1"), call)).rejects.toMatchObject({ code, cause });
    expect(calls).toHaveLength(1);
  });

  it("names the message when its outcome is unknown", async () => {
    const { forward } = forwarding([{ kind: "unanswered", timedOut: true, cause }]);
    await expect(forward(numberWith("K1"), send)).rejects.toMatchObject({
      status: 504,
      members: { message_id: "msg_a" },
    });
  });

  it("after a refused key is an outcome unknown too", async () => {
    const { forward } = forwarding(
      [answer(401), { kind: "unanswered", timedOut: true, cause }],
      numberWith("K2"),
    );
    await expect(forward(numberWith("K1"), send)).rejects.toMatchObject({
      code: "outcome_unknown",
    });
  });
});
