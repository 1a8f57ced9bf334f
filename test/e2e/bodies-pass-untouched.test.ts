import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { BYTES } from "../fixtures/bodies/bytes.ts";
import { MESSAGES } from "../fixtures/bodies/messages.ts";

/** What people send; 360dialog, not the gateway, judges it. */
const BODIES: [name: string, body: string | Buffer][] = [
  ...Object.entries(MESSAGES).map(([name, body]): [string, string] => [name, JSON.stringify(body)]),
  ...Object.entries(BYTES),
];

describe("a body", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let upstream: { url: string; bodies: Buffer[]; close: () => void };
  // Many bodies go to one user: over several numbers WhatsApp's limit to one is not reached.
  const numbers: string[] = [];
  const nextNumber = (): string => {
    const number = numbers.shift() ?? "";
    numbers.push(number);
    return number;
  };

  beforeAll(async () => {
    upstream = await startEcho();
    gateway = await startTestGateway({ env: { D360_ALLOWED_ORIGINS: upstream.url } });
    tenant = await buildTenant(gateway);
    numbers.push(tenant.phoneNumberId);
    while (numbers.length < 8) {
      numbers.push((await addNumber(gateway, tenant.id)).phoneNumberId);
    }
    await gateway.database.db
      .updateTable("phone_number")
      .set({ base_url: upstream.url })
      .where("tenant_id", "=", tenant.id)
      .execute();
    await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, { throughput: 80 });
  });
  afterAll(async () => {
    await gateway.stop();
    upstream.close();
  });

  it("is one of at least a hundred different ones", () => {
    const bodies = BODIES.map(([, body]) => Buffer.from(body).toString("latin1"));
    expect(new Set(bodies).size).toBeGreaterThan(100);
  });

  it.each(BODIES)(
    "of fixed length arrives byte for byte and its answer comes back so: %s",
    async (_name, body) => {
      // Not through `call`: what the echo answers is no answer that the contract foresees.
      const answer = await request(`${gateway.url}/${nextNumber()}/messages`, {
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
    await sendChunked(`${gateway.url}/${nextNumber()}/messages`, tenant.token, Buffer.from(body));
    expect(upstream.bodies.at(-1)?.equals(Buffer.from(body))).toBe(true);
  });

  const PARTS = {
    messaging_product: 'Content-Disposition: form-data; name="messaging_product"\r\n\r\nwhatsapp',
    type: 'Content-Disposition: form-data; name="type"\r\n\r\nimage/png',
    file: 'Content-Disposition: form-data; name="file"; filename="undefined"\r\nContent-Type: image/png\r\n\r\n\u0000\u00ff\r\n--x',
  };
  it.each([
    ["messaging_product", "type", "file"],
    ["file", "type", "messaging_product"],
    ["type", "file", "messaging_product"],
    ["file", "messaging_product"],
    ["file"],
  ] as (keyof typeof PARTS)[][])("of a form arrives byte for byte: %s first", async (...names) => {
    const parts = names.map((name) => `--xyz\r\n${PARTS[name]}\r\n`).join("");
    const body = Buffer.from(`${parts}--xyz--\r\n`, "latin1");
    const answer = await request(
      `${gateway.url}/${nextNumber()}/media?messaging_product=whatsapp`,
      {
        method: "POST",
        body,
        headers: {
          "content-type": "multipart/form-data; boundary=xyz",
          authorization: `Bearer ${tenant.token}`,
        },
      },
    );
    expect(upstream.bodies.at(-1)?.equals(body)).toBe(true);
    expect(answer.statusCode).toBe(418);
    expect(Buffer.from(await answer.body.arrayBuffer()).equals(body)).toBe(true);
  });

  it("above one mebibyte is refused with 413 and not sent", async () => {
    const before = upstream.bodies.length;
    const answer = await tenant.call("POST", `/${nextNumber()}/messages`, {
      body: Buffer.alloc(1024 * 1024 + 1),
    });
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
    `POST ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
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
