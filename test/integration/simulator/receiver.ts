import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";

/** One POST that a receiver got. */
export type Received = { headers: IncomingHttpHeaders; text: string; url: string };

type Respond = (res: ServerResponse, received: Received) => void;

/** A webhook on loopback that writes down what it gets. */
export async function startReceiver(
  respond: Respond = (res) => {
    res.end();
  },
) {
  const received: Received[] = [];
  const behaviour = { respond };
  const server = createServer((req, res) => {
    let text = "";
    req.setEncoding("utf8");
    req.on("data", (chunk: string) => {
      text += chunk;
    });
    req.on("end", () => {
      const one: Received = { headers: req.headers, text, url: req.url ?? "" };
      received.push(one);
      behaviour.respond(res, one);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    /** Answers differently from here on. */
    respondWith(next: Respond) {
      behaviour.respond = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
