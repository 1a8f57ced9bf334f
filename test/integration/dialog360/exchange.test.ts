import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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
