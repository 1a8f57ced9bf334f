import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

/** What people send; 360dialog, not the gateway, judges it. */
const BODIES: [name: string, body: string | Buffer][] = [
  [
    "a text",
    '{"messaging_product":"whatsapp","to":"15550001111","type":"text","text":{"body":"Hi"}}',
  ],
  [
    "a number as recipient",
    '{"messaging_product":"whatsapp","to":15550001111,"type":"text","text":{"body":"x"}}',
  ],
  [
    "a BSUID recipient without to",
    '{"messaging_product":"whatsapp","recipient":"US.1234","type":"text","text":{"body":"x"}}',
  ],
  ["nulls", '{"messaging_product":"whatsapp","to":null,"context":null,"type":"text"}'],
  ["an unknown type", '{"messaging_product":"whatsapp","to":"1","type":"hologram","hologram":{}}'],
  [
    "white space and key order",
    '{ "type" : "text",\r\n\t"to":"1" , "messaging_product":"whatsapp" }',
  ],
  ["duplicate keys", '{"to":"1","to":"2","type":"text"}'],
  ["big integers and exponents", '{"to":12345678901234567890,"x":1.0,"y":1e400,"z":-0}'],
  ["emoji, NUL and a lone surrogate", '{"text":{"body":"\u{1F44D}\\u0000\\ud83d"}}'],
  ["escaped slashes", '{"image":{"link":"https:\\/\\/example.com\\/a.jpg"}}'],
  ["JSON that cannot be read", '{"messaging_product":"whatsapp",'],
  ["no JSON at all", "hello"],
  ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d])],
  ["a read receipt", '{"messaging_product":"whatsapp","status":"read","message_id":"wamid.X"}'],
  ["exactly one mebibyte", Buffer.alloc(1024 * 1024, "a")],
];

describe("a body", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let upstream: { url: string; bodies: Buffer[]; close: () => void };

  beforeAll(async () => {
    upstream = await startEcho();
    gateway = await startTestGateway({ env: { D360_ALLOWED_ORIGINS: upstream.url } });
    tenant = await buildTenant(gateway);
    await gateway.database.db
      .updateTable("phone_number")
      .set({ base_url: upstream.url })
      .where("id", "=", tenant.numberId)
      .execute();
    await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, { throughput: 80 });
  });
  afterAll(async () => {
    await gateway.stop();
    upstream.close();
  });

  it.each(BODIES)(
    "of fixed length arrives byte for byte and its answer comes back so: %s",
    async (_name, body) => {
      // Not through `call`: what the echo answers is no answer that the contract foresees.
      const answer = await request(`${gateway.url}/messages`, {
        method: "POST",
        body: Buffer.from(body),
        headers: { "content-type": "application/json", authorization: `Bearer ${tenant.token}` },
      });
      expect(upstream.bodies.at(-1)?.equals(Buffer.from(body))).toBe(true);
      expect(answer.statusCode).toBe(418);
      expect(Buffer.from(await answer.body.arrayBuffer()).equals(Buffer.from(body))).toBe(true);
      expect(answer.headers["set-cookie"]).toBeUndefined();
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.headers["content-type"]).toBe("application/json; charset=UTF-8");
    },
  );

  it.each(BODIES)("that is chunked arrives byte for byte: %s", async (_name, body) => {
    await sendChunked(gateway.url, tenant.token, Buffer.from(body));
    expect(upstream.bodies.at(-1)?.equals(Buffer.from(body))).toBe(true);
  });

  it("above one mebibyte is refused with 413 and not sent", async () => {
    const before = upstream.bodies.length;
    const answer = await tenant.call("POST", "/messages", { body: Buffer.alloc(1024 * 1024 + 1) });
    expect(answer.status).toBe(413);
    expect(answer.json.code).toBe("too_large");
    expect(upstream.bodies.length).toBe(before);
  });
});

/** Answers every POST with its own body, and headers of which some must not come through. */
async function startEcho() {
  const bodies: Buffer[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const body = Buffer.concat(chunks);
      bodies.push(body);
      res.writeHead(req.method === "GET" ? 200 : 418, {
        "content-type": "application/json; charset=UTF-8",
        "content-language": "echo",
        "set-cookie": "a=b",
        "access-control-allow-origin": "*",
        "x-fb-debug": "yes",
      });
      res.end(req.method === "GET" ? "{}" : body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, bodies, close: () => void server.close() };
}

/** Written by hand, so that the chunks are what is said: a few bytes each. */
async function sendChunked(url: string, token: string, body: Buffer): Promise<void> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const answered = new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject);
  });
  socket.write(
    `POST /messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  const chunkBytes = Math.max(3, Math.ceil(body.length / 50));
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    socket.write(
      Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]),
    );
  }
  socket.write("0\r\n\r\n");
  await answered;
  socket.destroy();
}
