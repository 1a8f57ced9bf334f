import { createServer, type IncomingHttpHeaders, request, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { CERTIFICATE, CERTIFICATE_KEY } from "./certificate.ts";

/** A call as the client wrote it. */
export type Tapped = { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer };

export type Tap = {
  url: string;
  seen: Tapped[];
  close(): void;
};

/**
 * Stands between a client and the gateway and keeps what the client puts on the wire, so that the
 * far side can be compared with it. Passes headers and framing on as they came.
 */
export async function startTap(target: string, options: { tls?: boolean } = {}): Promise<Tap> {
  const seen: Tapped[] = [];
  const listener: RequestListener = (req, res) => {
    const { method = "", url = "", headers, rawHeaders } = req;
    const tapped: Tapped = { method, url, headers, body: Buffer.alloc(0) };
    seen.push(tapped);
    const passed = request(target + url, { method, headers: rawHeaders });
    passed.on("response", (answer) => {
      res.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(res);
    });
    passed.on("error", () => res.destroy());
    req.on("data", (chunk: Buffer) => {
      tapped.body = Buffer.concat([tapped.body, chunk]);
    });
    req.pipe(passed);
  };
  const tls = options.tls === true;
  const server = tls
    ? createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, listener)
    : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    seen,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
