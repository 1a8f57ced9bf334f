import { once } from "node:events";
import { createServer } from "node:https";
import { networkInterfaces } from "node:os";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";
import { createGuardedDispatcher } from "../../../src/outbound/dispatcher.ts";
import { exchange } from "../../../src/outbound/exchange.ts";
import { createResolutionCheck, type CheckResolution } from "../../../src/outbound/resolve.ts";
import { CERTIFICATE, CERTIFICATE_KEY, CERTIFICATE_NAME } from "./certificate.ts";
import { reply, startReceiver } from "./receiver.ts";

type Setup = {
  allow?: string;
  /** The addresses of each look-up in turn; the last one stays. */
  answers?: string[][];
  checkResolution?: CheckResolution;
  connectionAgeMaxMs?: number;
  certificateAuthorities?: string;
};

// Below the URL rules: what the dispatcher lets through if every rule above it were broken.
function setUp({ allow = "", answers = [], certificateAuthorities, ...rest }: Setup) {
  const allowList = parseAllowList(allow);
  let lookups = 0;
  const checkResolution =
    rest.checkResolution ??
    createResolutionCheck({
      allowList,
      resolver: {
        async resolve4() {
          lookups += 1;
          return answers[lookups - 1] ?? answers.at(-1) ?? [];
        },
        resolve6: () => Promise.reject(new Error("ENODATA")),
      },
    });
  const dispatcher = createGuardedDispatcher({
    allowList,
    checkResolution,
    connectTimeoutMs: 2_000,
    connectionsPerOriginMax: 4,
    connectionAgeMaxMs: rest.connectionAgeMaxMs ?? 60_000,
    keepAliveMs: 4_000,
    certificateAuthorities,
    onConnect: () => undefined,
  });
  return {
    checkResolution,
    lookups: () => lookups,
    get: (url: string) =>
      exchange({
        dispatcher,
        url: new URL(url),
        request: { method: "GET", url, timeoutMs: 5_000, answerBytesMax: 1_000 },
        isByAllowList: () => false,
      }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

const ok = () => startReceiver((socket) => socket.write(reply(200, "ok")), "::");

describe("the guarded dispatcher", () => {
  it.each([
    "127.0.0.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "１２７.0.0.1",
    "①②⑦。⓪。⓪。①",
    "%31%32%37.0.0.1",
  ])("does not dial http://%s", async (host) => {
    await using receiver = await ok();
    await using guarded = setUp({});
    const result = await guarded.get(`http://${host}:${receiver.port}/`);
    expect(result).toMatchObject({ kind: "refused_address", code: "url_host_not_public" });
    expect(receiver.connections).toBe(0);
  });

  it("does not dial any of this machine's own addresses by name", async () => {
    await using receiver = await ok();
    for (const { address } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
      await using guarded = setUp({ answers: [[address]] });
      // An interface may well have a public address; that one is everybody's to call.
      const resolution = await guarded.checkResolution("hooks.acme.com");
      if (resolution.kind === "refused") {
        await guarded.get(`http://hooks.acme.com:${receiver.port}/`);
      }
    }
    expect(receiver.connections).toBe(0);
  });

  it("refuses at the connection a name that was public when it was checked", async () => {
    await using receiver = await ok();
    await using guarded = setUp({ answers: [["93.184.215.14"], ["127.0.0.1"]] });
    expect(await guarded.checkResolution("hooks.acme.com")).toMatchObject({ kind: "ok" });
    const result = await guarded.get(`http://hooks.acme.com:${receiver.port}/`);
    expect(result).toMatchObject({ kind: "refused_address", code: "url_resolves_private" });
    expect(JSON.stringify(result)).not.toContain("127.0.0.1");
    expect(receiver.connections).toBe(0);
  });

  it("looks a name up once for a connection and dials what it judged", async () => {
    await using receiver = await ok();
    await using guarded = setUp({
      allow: "127.0.0.1",
      answers: [["127.0.0.1"], ["127.0.0.2"]],
    });
    const result = await guarded.get(`http://hooks.acme.com:${receiver.port}/`);
    expect(result).toMatchObject({ kind: "answer", status: 200 });
    expect(guarded.lookups()).toBe(1);
  });

  it("refuses a name of which only one address is private", async () => {
    await using receiver = await ok();
    await using guarded = setUp({ allow: "127.0.0.1", answers: [["127.0.0.1", "127.0.0.2"]] });
    expect(await guarded.get(`http://hooks.acme.com:${receiver.port}/`)).toMatchObject({
      kind: "refused_address",
    });
    expect(receiver.connections).toBe(0);
  });

  it("tries the next address when one does not answer", async () => {
    await using receiver = await startReceiver((socket) => socket.write(reply(200)));
    await using guarded = setUp({ allow: "127.0.0.0/8", answers: [["127.0.0.3", "127.0.0.1"]] });
    expect(await guarded.get(`http://hooks.acme.com:${receiver.port}/`)).toMatchObject({
      kind: "answer",
    });
  });

  it("hangs up when the address it reached is forbidden, whatever the look-up said", async () => {
    await using receiver = await ok();
    await using guarded = setUp({
      checkResolution: async () => ({ kind: "ok", addresses: ["127.0.0.1"], byAllowList: false }),
    });
    const result = await guarded.get(`http://hooks.acme.com:${receiver.port}/`);
    expect(result).toMatchObject({ kind: "refused_address", code: "url_resolves_private" });
    expect(receiver.received).toBe("");
  });

  it("uses a connection again while it is young", async () => {
    await using receiver = await ok();
    await using guarded = setUp({ allow: "127.0.0.1", answers: [["127.0.0.1"], ["127.0.0.2"]] });
    for (let count = 0; count < 3; count += 1) {
      expect(await guarded.get(`http://hooks.acme.com:${receiver.port}/`)).toMatchObject({
        kind: "answer",
      });
      await setImmediate(); // undici gives a connection back one turn of the loop after the answer
    }
    expect(receiver.connections).toBe(1);
  });

  it("looks the name up again when the connection has grown old, and refuses it when it moved", async () => {
    await using receiver = await ok();
    await using guarded = setUp({
      allow: "127.0.0.1",
      answers: [["127.0.0.1"], ["127.0.0.2"]],
      connectionAgeMaxMs: 50,
    });
    const url = `http://hooks.acme.com:${receiver.port}/`;
    expect(await guarded.get(url)).toMatchObject({ kind: "answer" });
    await setImmediate(); // as above
    await vi.waitFor(async () =>
      expect(await guarded.get(url)).toMatchObject({ kind: "refused_address" }),
    );
    expect(guarded.lookups()).toBe(2);
    expect(receiver.connections).toBe(1);
  });

  it("gives an old connection to nobody, also while others wait for one", async () => {
    const AGE_MAX_MS = 30;
    await using receiver = await startReceiver((socket) => {
      setTimeout(() => socket.write(reply(200)), AGE_MAX_MS);
    });
    await using guarded = setUp({
      allow: "127.0.0.1",
      answers: [["127.0.0.1"]],
      connectionAgeMaxMs: AGE_MAX_MS,
    });
    const url = `http://hooks.acme.com:${receiver.port}/`;
    const results = await Promise.all(Array.from({ length: 12 }, () => guarded.get(url)));
    expect(results.map(({ kind }) => kind)).toEqual(Array(12).fill("answer"));
    // Each was too old after its first answer.
    expect(receiver.connections).toBe(12);
  });

  it("checks the certificate against the name, though it dials an address", async () => {
    const seen: unknown[] = [];
    const server = createServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (req, res) => {
      seen.push(Reflect.get(req.socket, "servername"), req.headers.host);
      res.end("ok");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using guarded = setUp({
      allow: "127.0.0.1",
      answers: [["127.0.0.1"]],
      certificateAuthorities: CERTIFICATE,
    });
    await using untrusting = setUp({ allow: "127.0.0.1", answers: [["127.0.0.1"]] });
    try {
      expect(await guarded.get(`https://${CERTIFICATE_NAME}:${port}/`)).toMatchObject({
        kind: "answer",
        status: 200,
      });
      expect(seen).toEqual([CERTIFICATE_NAME, `${CERTIFICATE_NAME}:${port}`]);
      for (const host of ["other.acme.test", "127.0.0.1"]) {
        expect(await guarded.get(`https://${host}:${port}/`)).toMatchObject({
          kind: "failed",
          reason: "tls",
          detail: "The TLS connection could not be made (ERR_TLS_CERT_ALTNAME_INVALID).",
        });
      }
      expect(await untrusting.get(`https://${CERTIFICATE_NAME}:${port}/`)).toMatchObject({
        kind: "failed",
        reason: "tls",
      });
      expect(seen).toHaveLength(2);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
