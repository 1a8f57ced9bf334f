import * as fc from "fast-check";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { createOutboundAgent } from "../../../src/outbound/agent.ts";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";
import { createGuardedDispatcher } from "../../../src/outbound/dispatcher.ts";
import { exchange, type OutboundResult } from "../../../src/outbound/exchange.ts";
import { createResolutionCheck } from "../../../src/outbound/resolve.ts";
import { type DnsServer, startDnsServer } from "./dns-server.ts";
import { reply, startReceiver } from "./receiver.ts";

const PUBLIC = "93.184.215.14";

/** As the agent has it, below the rules of URLs: a name of the public DNS has no receiver on a port. */
function guard(dns: DnsServer, options: { allow: string; connectionAgeMaxMs?: number }) {
  const allowList = parseAllowList(options.allow);
  const dispatcher = createGuardedDispatcher({
    allowList,
    checkResolution: createResolutionCheck({ allowList, resolver: dns.resolver }),
    connectTimeoutMs: 2_000,
    connectionsPerOriginMax: 4,
    connectionAgeMaxMs: options.connectionAgeMaxMs ?? 60_000,
    keepAliveMs: 4_000,
    onConnect: () => undefined,
  });
  return {
    get: (url: string): Promise<OutboundResult> =>
      exchange({
        dispatcher,
        url: new URL(url),
        request: { method: "GET", url, timeoutMs: 5_000, answerBytesMax: 1_000 },
        isByAllowList: () => false,
      }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

const receive = (host = "0.0.0.0") =>
  startReceiver((socket) => socket.write(reply(200, "inside")), host);

describe("a name whose DNS server answers otherwise each time", () => {
  it.each(["127.0.0.1", "10.0.0.7", "169.254.169.254", "0.0.0.0"])(
    "is taken while it is public, and not called once it is %s",
    async (inside) => {
      await using dns = await startDnsServer([[PUBLIC], [inside]]);
      const agent = createOutboundAgent({
        allowList: parseAllowList(""),
        resolver: dns.resolver,
      });
      const url = "https://hooks.acme.com/";
      expect(await agent.checkUrl(url)).toEqual([]);
      const result = await agent.request({
        method: "POST",
        url,
        timeoutMs: 5_000,
        answerBytesMax: 10,
      });
      expect(result).toMatchObject({ kind: "refused_address", code: "url_resolves_private" });
      expect(JSON.stringify(result)).not.toContain(inside);
      expect(dns.asked).toBe(2);
      expect((await agent.checkUrl(url)).map(({ code }) => code)).toEqual(["url_resolves_private"]);
      await agent.destroy();
    },
  );

  it("reaches nothing inside, though a receiver waits there", async () => {
    await using receiver = await receive();
    await using dns = await startDnsServer([[PUBLIC], ["127.0.0.1"], ["127.0.0.1", PUBLIC]]);
    await using guarded = guard(dns, { allow: "" });
    expect(
      await createResolutionCheck({ allowList: parseAllowList(""), resolver: dns.resolver })(
        "hooks.acme.com",
      ),
    ).toMatchObject({ kind: "ok" });
    const url = `http://hooks.acme.com:${receiver.port}/`;
    expect(await guarded.get(url)).toMatchObject({ code: "url_resolves_private" });
    expect(await guarded.get(url)).toMatchObject({ code: "url_resolves_private" });
    expect(receiver.connections).toBe(0);
  });

  it("is asked again by a connection that has grown old, and refused when it has moved", async () => {
    await using receiver = await receive();
    await using dns = await startDnsServer([["127.0.0.1"], ["127.0.0.2"]]);
    await using guarded = guard(dns, { allow: "127.0.0.1", connectionAgeMaxMs: 50 });
    const url = `http://hooks.acme.com:${receiver.port}/`;
    expect(await guarded.get(url)).toMatchObject({ kind: "answer" });
    await setImmediate(); // undici gives a connection back one turn of the loop after the answer
    await vi.waitFor(async () =>
      expect(await guarded.get(url)).toMatchObject({ code: "url_resolves_private" }),
    );
    expect(receiver.connections).toBe(1);
  });

  it("is called exactly where all that it says at the time may be called", async () => {
    // 127.0.0.1 stands for the public address: it is listed, and a receiver is there.
    await using receiver = await receive();
    const answer = fc.uniqueArray(
      fc.constantFrom("127.0.0.1", "127.0.0.2", "10.0.0.7", "192.168.1.1", "169.254.169.254"),
      { minLength: 1, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 4 }), async (answers) => {
        await using dns = await startDnsServer(answers);
        for (const addresses of answers) {
          await using guarded = guard(dns, { allow: "127.0.0.1" });
          const before = receiver.connections;
          const result = await guarded.get(`http://hooks.acme.com:${receiver.port}/`);
          const mayBeCalled = addresses.every((address) => address === "127.0.0.1");
          expect([result.kind, receiver.connections - before]).toEqual(
            mayBeCalled ? ["answer", 1] : ["refused_address", 0],
          );
        }
      }),
      { numRuns: 50 },
    );
  });
});
