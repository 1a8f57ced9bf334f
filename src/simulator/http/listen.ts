import { once } from "node:events";
import type { Server } from "node:http";

/** Listens; gives the URL under which the server is reached. */
export async function listen(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<{ url: string; port: number }> {
  // Longer than clients keep idle connections, so that they, not we, end them.
  server.keepAliveTimeout = 75_000;
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the server does not listen on a TCP port");
  }
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const hostInUrl = reachable.includes(":") ? `[${reachable}]` : reachable;
  return { url: `http://${hostInUrl}:${address.port}`, port: address.port };
}
