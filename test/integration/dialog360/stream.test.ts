import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import type { StreamedAnswer } from "../../../src/dialog360/answer-streamer.ts";
import { createUpstream, type UpstreamCall } from "../../../src/dialog360/exchange.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { Secret } from "../../../src/secret.ts";
import { eventually } from "../../support/eventually.ts";

const MiB = 1024 * 1024;
const TOTAL = 100 * MiB;
const CHUNK = Buffer.alloc(64 * 1024, "x");
const chunks = () =>
  Readable.from(
    (function* () {
      for (let bytes = 0; bytes < TOTAL; bytes += CHUNK.length) {
        yield CHUNK;
      }
    })(),
  );

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) {
    await cleanup();
  }
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

async function farSide(listener: Listener): Promise<string> {
  const server = createServer((req, res) => void listener(req, res));
  cleanups.push(() => server.closeAllConnections());
  return listen(server);
}

function upstreamWith(timeoutMs = 5000) {
  const upstream = createUpstream({ metrics: createMetrics(), timeoutMs });
  cleanups.push(() => upstream.close());
  return upstream;
}

const callTo = (origin: string, fields: Partial<UpstreamCall> = {}): UpstreamCall => ({
  origin,
  method: "GET",
  path: "/m",
  headers: [],
  apiKey: new Secret("key"),
  body: null,
  ...fields,
});

/** A reader that keeps the head and takes what it is given. */
function reader(body: Writable = new PassThrough().resume()) {
  const heads: StreamedAnswer[] = [];
  return {
    heads,
    body,
    head: (answer: StreamedAnswer) => {
      heads.push(answer);
      return body;
    },
  };
}

async function countBytes(body: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
  }
  return bytes;
}

async function startRelay(origin: string): Promise<{ url: string; relay: ChildProcess }> {
  const relay = fork(join(import.meta.dirname, "relay.ts"), [origin], {
    execArgv: ["--expose-gc"],
  });
  cleanups.push(() => relay.kill());
  const [port] = (await once(relay, "message")) as [number];
  return { url: `http://127.0.0.1:${port}`, relay };
}

async function growthOf(relay: ChildProcess): Promise<{ rss: number; arrayBuffers: number }> {
  relay.send("growth?");
  const [growth] = await once(relay, "message");
  return growth as { rss: number; arrayBuffers: number };
}

describe("100 MiB through a gateway's process", () => {
  it.each(["content-length", "chunked"])("leaves its memory flat, both ways (%s)", async (how) => {
    const fixed = how === "content-length";
    const seen: (string | undefined)[] = [];
    const origin = await farSide(async (req, res) => {
      seen.push(req.headers["content-length"], req.headers["transfer-encoding"]);
      if (req.method === "POST") {
        res.end(String(await countBytes(req)));
      } else {
        res.writeHead(200, fixed ? { "content-length": TOTAL } : {});
        chunks().pipe(res);
      }
    });
    const { url, relay } = await startRelay(origin);

    const up = await request(url, {
      method: "POST",
      headers: fixed ? { "content-length": String(TOTAL) } : {},
      body: chunks(),
    });
    expect(await up.body.text()).toBe(String(TOTAL));
    expect(seen).toEqual(fixed ? [String(TOTAL), undefined] : [undefined, "chunked"]);
    const down = await request(url);
    expect(await countBytes(down.body)).toBe(TOTAL);

    const growth = await growthOf(relay);
    expect(growth.arrayBuffers).toBeLessThan(20 * MiB);
    expect(growth.rss).toBeLessThan(50 * MiB);
  });
});

describe("a streamed answer", () => {
  it("comes head first, and is done when its reader has it", async () => {
    const origin = await farSide((_req, res) => res.writeHead(206, { "x-a": "b" }).end("hello"));
    const body = new PassThrough();
    const sink = reader(body);
    const streamed = upstreamWith().stream(callTo(origin), sink);
    expect(await countBytes(body)).toBe(5);
    expect(await streamed).toEqual({ kind: "streamed" });
    expect(sink.heads.map(({ status }) => status)).toEqual([206]);
    expect(sink.heads[0]?.headers["x-a"]).toBe("b");
  });

  it("waits for a slow reader, and is given up when nothing is taken any more", async () => {
    let written = 0;
    let gone = false;
    const origin = await farSide((_req, res) => {
      res.on("close", () => (gone = true));
      res.on("drain", () => (written += CHUNK.length));
      chunks().pipe(res);
    });
    const body = new Writable({ write: () => {} });
    const streamed = await upstreamWith(300).stream(callTo(origin), reader(body));
    expect(streamed).toMatchObject({ kind: "broken_off", cause: { message: /takes nothing/ } });
    await eventually(() => gone);
    expect(written).toBeLessThan(20 * MiB);
  });

  it("ends the call when its reader leaves", async () => {
    let gone = false;
    const origin = await farSide((_req, res) => {
      res.on("close", () => (gone = true));
      res.write("some");
    });
    const body = new PassThrough();
    body.once("data", () => body.destroy());
    expect(await upstreamWith().stream(callTo(origin), reader(body))).toMatchObject({
      kind: "broken_off",
    });
    await eventually(() => gone);
  });

  it.each([
    ["with a length, closed", "content-length: 9\r\n", (socket: Socket) => socket.end()],
    ["chunked, closed", "transfer-encoding: chunked\r\n", (socket: Socket) => socket.end()],
    ["without a length, reset", "", (socket: Socket) => socket.resetAndDestroy()],
  ])("that is cut short (%s) does not end for its reader", async (_name, header, cut) => {
    const sockets: Socket[] = [];
    const origin = await listen(
      createTcpServer((socket) => {
        sockets.push(socket.on("error", () => {}));
        socket.once("data", () => socket.write(`HTTP/1.1 200 OK\r\n${header}\r\n4\r\nhalf`));
      }),
    );
    const body = new PassThrough();
    body.once("data", () => sockets.forEach(cut));
    const streamed = await upstreamWith().stream(callTo(origin), {
      head: () => body,
    });
    expect(streamed.kind).toBe("broken_off");
    expect(body.writableFinished).toBe(false);
    expect(body.destroyed).toBe(true);
  });

  it("that never begins is told by whether the call was written", async () => {
    const hangsUp = await listen(
      createTcpServer((socket) => socket.once("data", () => socket.end())),
    );
    const sink = reader();
    const upstream = upstreamWith();
    expect(await upstream.stream(callTo(hangsUp), sink)).toMatchObject({ kind: "unanswered" });
    expect(await upstream.stream(callTo("http://127.0.0.1:1"), sink)).toMatchObject({
      kind: "not_sent",
    });
    expect(sink.heads).toEqual([]);
  });

  it("whose sink fails is that failure", async () => {
    const origin = await farSide((_req, res) => res.end("x"));
    const failing = {
      head: (): Writable => {
        throw new Error("no place for it");
      },
    };
    await expect(upstreamWith().stream(callTo(origin), failing)).rejects.toThrow("no place");
  });
});

describe("a streamed body", () => {
  it("is whole after a refused connection, and is not destroyed", async () => {
    const body = new PassThrough();
    body.end("whole");
    const call = callTo("http://127.0.0.1:1", { method: "POST", body });
    expect(await upstreamWith().exchange(call)).toMatchObject({ kind: "not_sent" });
    expect(body.destroyed).toBe(false);
    expect(await countBytes(body)).toBe(5);
  });

  it("that ends too early never looks whole upstream", async () => {
    const calls: IncomingMessage[] = [];
    const origin = await farSide((req) => {
      req.on("error", () => {});
      req.resume();
      calls.push(req);
    });
    const body = new PassThrough();
    body.write("half");
    const exchange = upstreamWith().exchange(callTo(origin, { method: "POST", body }));
    await eventually(() => calls.length === 1);
    body.destroy();
    expect(await exchange).toMatchObject({ kind: "unanswered" });
    await eventually(() => calls[0]?.destroyed);
    expect(calls[0]?.complete).toBe(false);
    expect(calls.length).toBe(1);
  });

  it("is left standing when upstream hangs up, so that its caller can be answered", async () => {
    const origin = await listen(
      createTcpServer((socket) => socket.once("data", () => socket.end())),
    );
    const body = new PassThrough();
    body.write("half");
    const call = callTo(origin, { method: "POST", body });
    expect(await upstreamWith().exchange(call)).toMatchObject({ kind: "unanswered" });
    expect(body.destroyed).toBe(false);
  });

  it("is answered before its end when upstream has made up its mind", async () => {
    const origin = await farSide((_req, res) => res.writeHead(413).end("too much"));
    const body = new PassThrough();
    body.write("half");
    const call = callTo(origin, { method: "POST", body });
    expect(await upstreamWith().exchange(call)).toMatchObject({ kind: "answer", status: 413 });
    expect(body.destroyed).toBe(false);
  });
});
