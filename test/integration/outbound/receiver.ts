import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** A server that speaks bytes, so that it can do what no HTTP library lets it. */
export type Receiver = AsyncDisposable & {
  port: number;
  /** Connections taken so far. */
  connections: number;
  /** What each request began with, in order: its request line. */
  requestLines: string[];
  /** The whole bytes that came in. */
  received: string;
};

/**
 * Starts a receiver on a free port.
 * @param answer called once for each request head that has come in whole
 */
export async function startReceiver(
  answer: (socket: Socket, requestLine: string) => void,
  host = "127.0.0.1",
): Promise<Receiver> {
  const sockets = new Set<Socket>();
  const receiver = { port: 0, connections: 0, requestLines: [] as string[], received: "" };
  const server: Server = createServer((socket) => {
    receiver.connections += 1;
    sockets.add(socket);
    let pending = "";
    socket.on("error", () => undefined); // the far side hangs up in many of these tests
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      receiver.received += chunk.toString("latin1");
      pending += chunk.toString("latin1");
      for (let end = pending.indexOf("\r\n\r\n"); end !== -1; end = pending.indexOf("\r\n\r\n")) {
        const head = pending.slice(0, end);
        const bodyBytes = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (pending.length < end + 4 + bodyBytes) {
          return;
        }
        pending = pending.slice(end + 4 + bodyBytes);
        const requestLine = head.split("\r\n", 1)[0] ?? "";
        receiver.requestLines.push(requestLine);
        answer(socket, requestLine);
      }
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  receiver.port = typeof address === "object" && address !== null ? address.port : 0;
  return Object.assign(receiver, {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, "close");
    },
  });
}

/** A whole answer, kept alive. */
export function reply(status: number, body = "", headers: readonly string[] = []): string {
  const lines = [`HTTP/1.1 ${status} x`, `content-length: ${Buffer.byteLength(body)}`, ...headers];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
