import { describe, expect, it, vi } from "vitest";
import { createOutboundAgent, type OutboundAgentOptions } from "../../../src/outbound/agent.ts";
import { parseAllowList } from "../../../src/outbound/allow-list.ts";
import type { OutboundRequest } from "../../../src/outbound/exchange.ts";
import { reply, startReceiver } from "./receiver.ts";

function startAgent(options: Partial<OutboundAgentOptions> = {}) {
  const agent = createOutboundAgent({ allowList: parseAllowList("127.0.0.0/8"), ...options });
  return Object.assign(agent, { [Symbol.asyncDispose]: () => agent.destroy() });
}

const to = (port: number, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  method: "POST",
  url: `http://127.0.0.1:${port}/hook?x=1`,
  body: '{"a":1}',
  timeoutMs: 5_000,
  answerBytesMax: 1_000,
  ...more,
});

describe("the outbound agent", () => {
  it("sends the request as given and hands the answer back", async () => {
    await using receiver = await startReceiver((socket) =>
      socket.write(reply(202, "taken", ["x-a: 1", "x-a: 2"])),
    );
    await using agent = startAgent();
    const headers = { "content-type": "application/json", "webhook-id": "dlv_1" };
    const result = await agent.request(to(receiver.port, { headers }));
    expect(result).toEqual({
      kind: "answer",
      status: 202,
      headers: { "content-length": "5", "x-a": ["1", "2"] },
      body: Buffer.from("taken"),
      bodyTruncated: false,
      byAllowList: true,
      durationMs: expect.any(Number),
    });
    expect(receiver.received.toLowerCase().split("\r\n")).toEqual([
      "post /hook?x=1 http/1.1",
      `host: 127.0.0.1:${receiver.port}`,
      "connection: keep-alive",
      "content-type: application/json",
      "webhook-id: dlv_1",
      "content-length: 7",
      "",
      '{"a":1}',
    ]);
  });

  it("holds every URL rule at sending too", async () => {
    await using receiver = await startReceiver((socket) => socket.write(reply(200)));
    await using agent = startAgent({ ownHosts: [`127.0.0.1:${receiver.port}`] });
    await using strict = startAgent({ allowList: parseAllowList("") });
    const refusals = [
      [strict, `http://hooks.acme.com:${receiver.port}/`, "url_not_https"],
      [strict, `https://hooks.acme.com:${receiver.port}/`, "url_port"],
      [strict, "https://127.0.0.1/", "url_host_not_public"],
      [strict, "https://localhost/", "url_host_not_public"],
      [strict, "https://hub.360dialog.io/", "url_host_own"],
      [agent, `http://127.0.0.1:${receiver.port}/`, "url_host_own"],
      [agent, `http://u@127.0.0.2:${receiver.port}/`, "url_credentials"],
      [agent, `http:\\\\127.0.0.2:${receiver.port}/`, "url_invalid"],
      [agent, "", "url_invalid"],
    ] as const;
    for (const [sender, url, code] of refusals) {
      expect(await sender.request(to(0, { url })), url).toMatchObject({
        kind: "refused_address",
        code,
        durationMs: 0,
      });
    }
    expect(receiver.connections).toBe(0);
  });

  it("resolves localhost only when the allow list names it", async () => {
    await using receiver = await startReceiver((socket) => socket.write(reply(200)));
    const url = `http://localhost:${receiver.port}/`;
    await using listed = startAgent({ allowList: parseAllowList("localhost") });
    await using byRange = startAgent({ allowList: parseAllowList("127.0.0.0/8,::1") });
    expect(await listed.request(to(0, { url }))).toMatchObject({
      kind: "answer",
      byAllowList: true,
    });
    expect(await byRange.request(to(0, { url }))).toMatchObject({ kind: "refused_address" });
  });

  it.each([301, 302, 303, 307, 308])("answers a %i to a private host as it is", async (status) => {
    await using inner = await startReceiver((socket) => socket.write(reply(200)));
    await using receiver = await startReceiver((socket) =>
      socket.write(reply(status, "", [`location: http://127.0.0.1:${inner.port}/`])),
    );
    await using agent = startAgent();
    expect(await agent.request(to(receiver.port))).toMatchObject({ kind: "answer", status });
    expect(inner.connections).toBe(0);
  });

  it("takes no proxy from the environment", async () => {
    await using proxy = await startReceiver((socket) => socket.write(reply(200, "proxy")));
    await using receiver = await startReceiver((socket) => socket.write(reply(200, "direct")));
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    }
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    try {
      await using agent = startAgent();
      const result = await agent.request(to(receiver.port));
      expect(result).toMatchObject({ kind: "answer", body: Buffer.from("direct") });
      expect(proxy.connections).toBe(0);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("calls a host that does not resolve a DNS failure, within the look-up's budget", async () => {
    const silent = new Promise<string[]>(() => undefined);
    await using agent = startAgent({
      resolver: { resolve4: () => silent, resolve6: () => silent },
      resolveBudgetMs: 50,
    });
    const result = await agent.request(to(0, { url: "https://hooks.acme.com/" }));
    expect(result).toMatchObject({ kind: "failed", reason: "dns" });
    expect(result.durationMs).toBeLessThan(2_000);
  });

  it("goes on with one family when the other's look-up is silent", async () => {
    await using agent = startAgent({
      resolver: { resolve4: async () => ["8.8.8.8"], resolve6: () => new Promise(() => undefined) },
      resolveBudgetMs: 50,
    });
    expect(await agent.checkResolution("hooks.acme.com")).toMatchObject({ addresses: ["8.8.8.8"] });
  });

  it("counts the look-up against the deadline", async () => {
    const silent = new Promise<string[]>(() => undefined);
    await using agent = startAgent({
      resolver: { resolve4: () => silent, resolve6: () => silent },
      resolveBudgetMs: 2_000,
    });
    const url = "https://hooks.acme.com/";
    const result = await agent.request(to(0, { url, timeoutMs: 50 }));
    expect(result).toMatchObject({ kind: "failed", reason: "timeout" });
    expect(result.durationMs).toBeLessThan(1_000);
  });

  it("calls a closed port a failure to connect", async () => {
    const receiver = await startReceiver(() => undefined);
    await receiver[Symbol.asyncDispose]();
    await using agent = startAgent();
    expect(await agent.request(to(receiver.port))).toMatchObject({
      kind: "failed",
      reason: "connect",
      detail: "The connection could not be made (ECONNREFUSED).",
    });
  });

  it("keeps a connection for the next request and opens no more than allowed", async () => {
    await using receiver = await startReceiver((socket) => socket.write(reply(200)));
    await using agent = startAgent({ connectionsPerOriginMax: 2 });
    const many = Array.from({ length: 20 }, () => agent.request(to(receiver.port)));
    for (const result of await Promise.all(many)) {
      expect(result.kind).toBe("answer");
    }
    expect(receiver.connections).toBeLessThanOrEqual(2);
    expect(receiver.requestLines).toHaveLength(20);
  });

  it("never sends a request whose deadline passed while it waited for a connection", async () => {
    const waiting: (() => void)[] = [];
    await using receiver = await startReceiver((socket, requestLine) => {
      const send = () => socket.write(reply(200));
      if (requestLine.includes("/slow")) {
        waiting.push(send);
      } else {
        send();
      }
    });
    await using agent = startAgent({ connectionsPerOriginMax: 1 });
    const path = (name: string) => ({ url: `http://127.0.0.1:${receiver.port}/${name}` });
    const slow = agent.request(to(0, path("slow")));
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    const late = await agent.request(to(0, { ...path("late"), timeoutMs: 50 }));
    expect(late).toMatchObject({ kind: "failed", reason: "timeout" });
    waiting[0]?.();
    expect(await slow).toMatchObject({ kind: "answer" });
    expect(await agent.request(to(0, path("next")))).toMatchObject({ kind: "answer" });
    expect(receiver.requestLines.map((line) => line.split(" ")[1])).toEqual(["/slow", "/next"]);
    expect(receiver.connections).toBe(1);
  });

  it("gives a request up when its signal says so, before and while it runs", async () => {
    await using receiver = await startReceiver(() => undefined);
    await using agent = startAgent();
    const early = await agent.request(to(receiver.port, { signal: AbortSignal.abort() }));
    expect(early).toMatchObject({ kind: "failed", reason: "aborted" });
    const stopping = new AbortController();
    const running = agent.request(to(receiver.port, { signal: stopping.signal }));
    await vi.waitFor(() => expect(receiver.requestLines).toHaveLength(1));
    stopping.abort();
    expect(await running).toMatchObject({ kind: "failed", reason: "aborted" });
  });

  it("answers what it cannot send without throwing, and no connection is lost by it", async () => {
    await using receiver = await startReceiver((socket) => socket.write(reply(200)));
    await using agent = startAgent({ connectionsPerOriginMax: 1 });
    expect(
      await agent.request(to(receiver.port, { headers: { "x-a": "1\r\nx-b: 2" } })),
    ).toMatchObject({ kind: "failed", reason: "invalid_request" });
    expect(receiver.requestLines).toEqual([]);
    expect(await agent.request(to(receiver.port))).toMatchObject({ kind: "answer" });
  });

  it("ends what is under way when it is destroyed", async () => {
    await using receiver = await startReceiver(() => undefined);
    const agent = startAgent();
    const running = agent.request(to(receiver.port));
    await vi.waitFor(() => expect(receiver.requestLines).toHaveLength(1));
    await agent.destroy();
    expect(await running).toMatchObject({ kind: "failed", reason: "aborted" });
    expect(await agent.request(to(receiver.port))).toMatchObject({ reason: "aborted" });
  });

  it("gives a connection up that is never made", async () => {
    await using receiver = await startReceiver(() => undefined); // takes TCP, never answers TLS
    await using agent = startAgent({ connectTimeoutMs: 200 });
    const url = `https://127.0.0.1:${receiver.port}/`;
    const hurried = await agent.request(to(0, { url, timeoutMs: 50 }));
    expect(hurried).toMatchObject({ kind: "failed", reason: "timeout" });
    const patient = await agent.request(to(0, { url }));
    expect(patient).toMatchObject({ kind: "failed", reason: "connect" });
    expect(patient.durationMs).toBeLessThan(4_000);
  });

  it("hangs up on everything when it is destroyed", async () => {
    const hungUp: boolean[] = [];
    await using receiver = await startReceiver((socket) => {
      socket.on("close", () => hungUp.push(true));
      socket.write(reply(200));
    });
    await using agent = startAgent();
    await agent.request(to(receiver.port));
    expect(hungUp).toEqual([]);
    await agent.destroy();
    await vi.waitFor(() => expect(hungUp).toEqual([true]));
  });
});
