import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { CERTIFICATE, CERTIFICATE_KEY } from "../clients/certificate.ts";

/** A server that speaks TLS for one that does not, as a browser wants it of a host on the internet. */
export async function putTlsInFront(url: string): Promise<{ place: string; close: () => void }> {
  const server = createServer({ key: CERTIFICATE_KEY, cert: CERTIFICATE }, (req, res) => {
    const { method, headers } = req;
    const behind = request(new URL(req.url ?? "/", url), { method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, res, () => {});
    });
    behind.on("error", () => res.destroy());
    pipeline(req, behind, () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    place: `127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
