import { METRICS_CONTENT_TYPE } from "../metrics.ts";
import { listenWhereFree } from "./server.ts";

export type MetricsServer = { port: number; close: () => Promise<void> };

/**
 * Prometheus text at `/metrics`, on a port of its own that tenants cannot reach. Until `render` can
 * answer, and when it cannot, whoever asks is told to come again.
 * @throws with code EADDRINUSE when the port is taken, unless any port will do then
 */
export async function startMetricsServer(options: {
  port: number;
  host: string;
  orAnyPort: boolean;
  render: () => Promise<string>;
}): Promise<MetricsServer> {
  const server = await listenWhereFree(options);
  server.serve((req, res) => {
    if (req.url !== "/metrics") {
      res.writeHead(404).end();
      return;
    }
    options.render().then(
      (text) => res.writeHead(200, { "content-type": METRICS_CONTENT_TYPE }).end(text),
      () => res.writeHead(503).end(),
    );
  });
  return { port: server.port, close: () => server.close({ graceMs: 0 }) };
}
