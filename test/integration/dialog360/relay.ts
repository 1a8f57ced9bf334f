import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createUpstream } from "../../../src/dialog360/exchange.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { Secret } from "../../../src/secret.ts";

/**
 * A process of its own, so that its memory is its own: passes each call to the origin it is started
 * with, body and answer streamed. Tells its port, and when asked by how much its memory has grown.
 */
const [origin = ""] = process.argv.slice(2);
const upstream = createUpstream({ metrics: createMetrics(), timeoutMs: 5000 });

const server = createServer((req, res) => {
  const length = req.headers["content-length"];
  void upstream
    .stream(
      {
        origin,
        method: req.method ?? "",
        path: req.url ?? "",
        headers: length === undefined ? [] : ["content-length", length],
        apiKey: new Secret("key"),
        body: req.method === "GET" ? null : req,
      },
      { head: ({ status }) => res.writeHead(status) },
    )
    .then((streamed) => streamed.kind === "streamed" || res.destroy());
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));

globalThis.gc?.();
const start = process.memoryUsage();
const growth = { rss: 0, arrayBuffers: 0 };
// Collected first: what is measured is what is held, not what V8 has not yet found time to drop.
setInterval(() => {
  globalThis.gc?.();
  const now = process.memoryUsage();
  growth.rss = Math.max(growth.rss, now.rss - start.rss);
  growth.arrayBuffers = Math.max(growth.arrayBuffers, now.arrayBuffers - start.arrayBuffers);
}, 20);
process.on("message", () => process.send?.(growth));
process.on("disconnect", () => process.exit());
