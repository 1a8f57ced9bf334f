import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { createOutboundAgent } from "../../../src/outbound/agent.ts";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";
import type { OutboundRequest } from "../../../src/outbound/exchange.ts";
import { reply, startReceiver } from "./receiver.ts";

const HEAD = "HTTP/1.1 200 OK\r\n";

/** Asks a receiver that behaves as given, once. */
async function ask(behave: (socket: Socket) => void, more: Partial<OutboundRequest> = {}) {
  await using receiver = await startReceiver(behave);
  const agent = createOutboundAgent({ allowList: parseAllowList("127.0.0.1") });
  try {
    return await agent.request({
      method: "POST",
      url: `http://127.0.0.1:${receiver.port}/`,
      body: "{}",
      timeoutMs: 300,
      answerBytesMax: 1_000,
      ...more,
    });
  } finally {
    await agent.destroy();
  }
}

/** Writes a piece every few milliseconds for as long as the other side listens. */
function drip(socket: Socket, piece: string): void {
  const timer = setInterval(() => socket.write(piece), 5);
  socket.on("close", () => clearInterval(timer));
}

describe("an answer that ends in time", () => {
  it.each([200, 201, 204, 304, 400, 404, 410, 429, 500, 503])(
    "has the status %i",
    async (status) => {
      expect(await ask((socket) => socket.write(reply(status)))).toMatchObject({
        kind: "answer",
        status,
        bodyTruncated: false,
      });
    },
  );

  it("is found behind informational ones", async () => {
    const early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    expect(await ask((socket) => socket.write(early + early + reply(200, "ok")))).toMatchObject({
      kind: "answer",
      status: 200,
      body: Buffer.from("ok"),
    });
  });

  it("may be chunked, or end with the connection", async () => {
    const chunked = `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
    const ok = { kind: "answer", body: Buffer.from("ok"), bodyTruncated: false };
    expect(await ask((socket) => socket.write(chunked))).toMatchObject(ok);
    expect(await ask((socket) => socket.end(`${HEAD}connection: close\r\n\r\nok`))).toMatchObject(
      ok,
    );
  });

  it("keeps its coding: a small gzip answer stays small", async () => {
    const result = await ask((socket) =>
      socket.write(reply(200, "raw", ["content-encoding: gzip"])),
    );
    expect(result).toMatchObject({ kind: "answer", body: Buffer.from("raw") });
  });

  it.each([
    [0, 0],
    [999, 999],
    [1_000, 1_000],
  ])("of %i bytes is whole", async (sent, kept) => {
    const result = await ask((socket) => socket.write(reply(200, "a".repeat(sent))));
    expect(result).toMatchObject({ bodyTruncated: false, body: Buffer.alloc(kept, "a") });
  });
});

describe("an answer that is cut", () => {
  it.each([1_001, 5_000_000])("of %i bytes is read up to the limit", async (sent) => {
    const result = await ask((socket) => socket.write(reply(200, "a".repeat(sent))), {
      timeoutMs: 10_000,
    });
    expect(result).toMatchObject({
      kind: "answer",
      status: 200,
      body: Buffer.alloc(1_000, "a"),
      bodyTruncated: true,
    });
  });

  it("without end is read up to the limit and then hung up on", async () => {
    const result = await ask(
      (socket) => {
        socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
        drip(socket, "64\r\n".concat("a".repeat(100), "\r\n"));
      },
      { timeoutMs: 10_000 },
    );
    expect(result).toMatchObject({ kind: "answer", bodyTruncated: true });
    expect(result.durationMs).toBeLessThan(5_000);
  });

  // A receiver that said 200 in time has taken the event, however long it then talks.
  it("that drips past the deadline counts with the status it began with", async () => {
    const result = await ask((socket) => {
      socket.write(`${HEAD}content-length: 100000\r\n\r\n`);
      drip(socket, "a");
    });
    expect(result).toMatchObject({ kind: "answer", status: 200, bodyTruncated: true });
    expect(result.durationMs).toBeGreaterThanOrEqual(290);
    expect(result.durationMs).toBeLessThan(2_000);
  });

  it("breaks off after its status line and counts all the same", async () => {
    const half = `${HEAD}content-length: 100\r\n\r\nhalf`;
    const cut = { kind: "answer", status: 200, body: Buffer.from("half"), bodyTruncated: true };
    expect(await ask((socket) => socket.end(half))).toMatchObject(cut);
    const reset = await ask((socket) => socket.write(half, () => socket.resetAndDestroy()));
    // The reset may overtake the bytes; then there was no answer.
    expect([cut.kind, "failed"]).toContain(reset.kind);
  });
});

describe("no answer", () => {
  it("is a timeout when the receiver is silent", async () => {
    const result = await ask(() => undefined);
    expect(result).toMatchObject({ kind: "failed", reason: "timeout" });
    expect(result.durationMs).toBeGreaterThanOrEqual(290);
    expect(result.durationMs).toBeLessThan(2_000);
  });

  it("is a timeout when only headers drip", async () => {
    const result = await ask((socket) => {
      socket.write(HEAD);
      drip(socket, "x-a: 1\r\n");
    });
    expect(result).toMatchObject({ kind: "failed", reason: "timeout" });
    expect(result.durationMs).toBeLessThan(2_000);
  });

  it("is a timeout when only informational answers come", async () => {
    const result = await ask((socket) => drip(socket, "HTTP/1.1 102 Processing\r\n\r\n"));
    expect(result).toMatchObject({ kind: "failed", reason: "timeout" });
  });

  it("is a timeout when the receiver does not read a big body", async () => {
    const result = await ask(() => undefined, { body: Buffer.alloc(20_000_000) });
    expect(result).toMatchObject({ kind: "failed", reason: "timeout" });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["closed at once", (socket) => socket.end()],
    ["reset", (socket) => socket.resetAndDestroy()],
    ["closed amid the headers", (socket) => socket.end(`${HEAD}content-le`)],
  ])("is a reset when the connection is %s", async (_name, behave) => {
    expect(await ask(behave)).toMatchObject({ kind: "failed", reason: "reset" });
  });

  it.each([
    ["another protocol", "220 mail.acme.com ESMTP\r\n\r\n"],
    ["two different lengths", `${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\n`],
    ["headers without end", `${HEAD}x-a: ${"a".repeat(100_000)}`],
  ])("is a protocol failure when the receiver speaks %s", async (_name, bytes) => {
    expect(await ask((socket) => socket.write(bytes))).toMatchObject({
      kind: "failed",
      reason: "protocol",
    });
  });
});
