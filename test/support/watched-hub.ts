import { once } from "node:events";
import { createServer, type IncomingMessage, request as forward } from "node:http";
import type { AddressInfo } from "node:net";

/** A way to 360dialog's Partner API that can be watched, and cut at any point. */
export type WatchedHub = {
  /** As D360_HUB_URL. */
  url: string;
  /** Awaited when a key is asked for, before 360dialog hears of it; `false`: it never does. */
  onAsked: () => boolean | Promise<boolean>;
  /** Awaited when 360dialog has made one, before it is told; `false`: it never is. */
  onMade: () => boolean | Promise<boolean>;
  stop(): Promise<void>;
};

const goOn = (): boolean => true;

export async function startWatchedHub(target: () => string): Promise<WatchedHub> {
  const server = createServer((req, res) => {
    void (async () => {
      const isKey = req.method === "POST" && req.url?.endsWith("/api_keys") === true;
      if (isKey && !(await hub.onAsked())) {
        req.destroy();
        return;
      }
      const onward = forward(target() + req.url, {
        method: req.method ?? "GET",
        headers: req.headers,
      });
      req.pipe(onward);
      const [answer] = (await once(onward, "response")) as [IncomingMessage];
      const chunks = (await answer.toArray()) as Buffer[];
      if (isKey && !(await hub.onMade())) {
        req.destroy();
        return;
      }
      res.writeHead(answer.statusCode ?? 500, answer.headers).end(Buffer.concat(chunks));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const hub: WatchedHub = {
    url: `http://127.0.0.1:${port}/api/v2`,
    onAsked: goOn,
    onMade: goOn,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return hub;
}
