import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { createUpstream, type Exchange } from "../../../src/dialog360/exchange.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { Secret } from "../../../src/secret.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../outbound/certificate.ts";

async function exchangeWith(origin: string): Promise<Exchange> {
  const upstream = createUpstream({ metrics: createMetrics(), timeoutMs: 5000 });
  const call = { origin, method: "GET", path: "/", headers: [], body: null };
  const exchange = await upstream.exchange({ ...call, apiKey: new Secret("key") });
  await upstream.close();
  return exchange;
}

describe("a call to 360dialog", () => {
  it("offers HTTP/1.1 and nothing that sends again by itself; what cannot be sent is tried three times", async () => {
    const offers: string[][] = [];
    const server = createTlsServer({
      cert: CERTIFICATE,
      key: CERTIFICATE_KEY,
      ALPNCallback: ({ protocols }) => {
        offers.push(protocols);
        return undefined;
      },
    });
    server.on("tlsClientError", () => {}); // nobody here speaks what is answered
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await exchangeWith(`https://localhost:${port}`)).toMatchObject({ kind: "not_sent" });
    expect(offers).toEqual([["http/1.1"], ["http/1.1"], ["http/1.1"]]);
    server.close();
  });

  it("is refused at once where as many as may be are under way, and files have their own", async () => {
    const answers: ServerResponse[] = [];
    const server = createServer((_req, res) => answers.push(res));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const upstream = createUpstream({
      metrics: createMetrics(),
      timeoutMs: 5000,
      connectionsMax: { calls: 2, media: 1 },
    });
    const call = (body: Readable | null = null) =>
      upstream.exchange({
        origin,
        method: "POST",
        path: "/",
        headers: [],
        body,
        apiKey: new Secret("key"),
      });
    const overloaded = expect.objectContaining({ code: "overloaded", status: 503 }) as Error;
    const underWay = [call(), call()];
    await expect(call()).rejects.toThrow(overloaded);
    underWay.push(call(Readable.from(["file"])));
    await expect(call(Readable.from(["file"]))).rejects.toThrow(overloaded);
    await expect.poll(() => answers.length).toBe(3);
    answers.forEach((res) => res.end("{}"));
    expect((await Promise.all(underWay)).map(({ kind }) => kind)).toEqual(Array(3).fill("answer"));
    const later = call();
    await expect.poll(() => answers.length).toBe(4);
    answers[3]?.end("{}");
    expect(await later).toMatchObject({ kind: "answer" });
    await upstream.close();
    server.close();
  });

  it("is unanswered when the answer is too large to be kept", async () => {
    const server = createServer((_req, res) => {
      res.end(Buffer.alloc(32 * 1024 * 1024 + 1));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const exchange = await exchangeWith(`http://127.0.0.1:${port}`);
    expect(exchange).toMatchObject({ kind: "unanswered", cause: { message: /larger/ } });
    server.close();
  });
});
