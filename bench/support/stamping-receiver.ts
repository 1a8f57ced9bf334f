import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Tenants' endpoints in a process of their own, on so many ports: `/ok/…` answers 200 at once and
 * keeps when each first attempt came; `/hang/…` accepts and never answers. `GET /ports` gives the
 * ports, `GET /stamps` what came since it was last asked: when by `webhook-id`, milliseconds.
 */
const ports = Number(process.argv[2] ?? 1);
const stamps = new Map<string, number>();

function answerJson(res: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  res.writeHead(200, { "content-length": Buffer.byteLength(body) }).end(body);
}

const listener: RequestListener = (req, res) => {
  const atMs = performance.timeOrigin + performance.now();
  const { url = "", headers } = req;
  if (url === "/stamps") {
    answerJson(res, Object.fromEntries(stamps));
    stamps.clear();
  } else if (url === "/ports") {
    answerJson(res, listening);
  } else {
    req.resume();
    const id = headers["webhook-id"];
    if (typeof id === "string" && headers["webhook-attempt"] === "1") {
      stamps.set(id, atMs);
    }
    if (!url.startsWith("/hang/")) {
      req.on("end", () => res.writeHead(200, { "content-length": 0 }).end());
    }
  }
};

const listening = await Promise.all(
  Array.from({ length: ports }, async () => {
    const server = createServer({ keepAliveTimeout: 0 }, listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }),
);
process.stdout.write(`listening on http://127.0.0.1:${listening[0]}\n`);
