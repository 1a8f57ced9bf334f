import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Received = {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  atMs: number;
};

export type Receiver = {
  url: string;
  received: Received[];
  /** How the next deliveries are answered; 200 with an empty body until it is set. */
  answer: (received: Received, res: ServerResponse) => void;
  close(): Promise<void>;
};

/** A tenant's endpoint: keeps what it gets, and answers what the test says. */
export async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = {
    url: "",
    received: [],
    answer: (_received, res) => res.writeHead(200).end(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const { method = "", url = "", headers } = req;
      const body = Buffer.concat(chunks);
      const received: Received = { method, url, headers, body, atMs: Date.now() };
      receiver.received.push(received);
      receiver.answer(received, res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return receiver;
}
