import { createServer, request as forward, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import type { RecordedRequest } from "../../src/simulator/http/recorded-request.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import type { Write } from "../main.ts";
import { openInboundLab } from "../support/inbound-lab.ts";
import { freePort } from "../support/redis.ts";
import { percentile } from "../support/statistics.ts";
import { writeFigure } from "../support/table.ts";
import { countAccepted, rotateUnderLoad } from "./under-load.ts";

const PROCESSES = 2;
const CLIENT = { id: "bench", secret: "bench-secret-bench-secret-bench-secret" };
/** So long a new key may take to be in use. */
const GAP_MS_MAX = 5000;

/** Two gateways over one database, the simulator as 360dialog, one number; its key changes and changes. */
export async function measureRotations(options: {
  write: Write;
  rotations: number;
  sendsPerSecond: number;
  /** How long 360dialog's answer with a new key is on its way, while the old one is dead already. */
  answerMs: number;
}): Promise<void> {
  const { write, rotations, sendsPerSecond, answerMs } = options;
  const accepted: RecordedRequest[] = [];
  await using stack = new AsyncDisposableStack();
  const simulator = await startSimulator({
    statuses: [],
    onRequest(received) {
      if (received.url === "/messages" && received.status === 200) {
        accepted.push(received);
      }
    },
  });
  stack.defer(simulator.close);
  const hub = await startSlowHub(simulator.url, answerMs);
  stack.defer(hub.stop);
  const lab = await openInboundLab();
  stack.defer(lab.close);
  const stage = await lab.openStage();
  const ports = await Promise.all(Array.from({ length: PROCESSES }, freePort));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const [url = ""] = urls;
  for (const port of ports) {
    await stage.startGateway({
      role: "all",
      env: {
        PORT: String(port),
        PUBLIC_URL: url,
        LOG_LEVEL: "fatal",
        D360_BASE_URL: simulator.url,
        D360_HUB_URL: `${hub.url}/api/v2`,
        D360_PARTNER_ID: simulator.partner.partnerId,
        D360_PARTNER_API_KEY: simulator.partner.apiKey,
        BOOTSTRAP_CLIENT_ID: CLIENT.id,
        BOOTSTRAP_CLIENT_SECRET: CLIENT.secret,
      },
    });
  }

  const partnerToken = await fetchToken(url, CLIENT);
  const partner = (method: "POST", path: string, body?: object) =>
    ask(url, partnerToken, method, `/partner/v1${path}`, body);
  const tenant = await partner("POST", "/tenants", { name: "bench" });
  const client = await partner("POST", `/tenants/${tenant["id"]}/clients`, {});
  const { phoneNumberId, channelId, apiKey } = simulator.createNumber();
  const number = await partner("POST", `/tenants/${tenant["id"]}/numbers`, {
    phone_number_id: phoneNumberId,
    channel_id: channelId,
    api_key: apiKey,
    throughput: 1000,
  });
  const token = await fetchToken(url, {
    id: client["client_id"] ?? "",
    secret: client["client_secret"] ?? "",
  });
  write(
    `${rotations} rotations in a row, ${sendsPerSecond} sends/s through ${PROCESSES} processes; 360dialog's answer takes ${answerMs} ms\n`,
  );
  const result = await rotateUnderLoad({
    urls,
    token,
    sendsPerSecond,
    rotations,
    async rotate(index) {
      const over = urls[index % urls.length] ?? url;
      const path = `/partner/v1/numbers/${number["id"]}/api-key/rotate`;
      const rotation = await ask(over, partnerToken, "POST", path);
      return rotation["outcome"] === "rotated" ? Number(rotation["gap_ms"]) : undefined;
    },
  });
  const { doubled } = countAccepted(accepted);
  const failed = [...result.failed.values()].reduce((sum, count) => sum + count, 0);
  const { gapsMs, latenciesMs } = result;
  writeFigure(write, "rotations", { value: rotations });
  writeFigure(write, "rotations that failed", { value: result.unrotated, atMost: 0 });
  writeFigure(write, "calls", { value: result.calls });
  writeFigure(write, "calls that failed", { value: failed, atMost: 0 });
  writeFigure(write, "messages that were doubled", { value: doubled, atMost: 0 });
  writeFigure(write, "gap p50", { value: percentile(gapsMs, 0.5), unit: " ms" });
  writeFigure(write, "gap max", {
    value: Math.max(...gapsMs),
    unit: " ms",
    atMost: GAP_MS_MAX,
  });
  writeFigure(write, "a call p50", { value: percentile(latenciesMs, 0.5), unit: " ms" });
  writeFigure(write, "a call max", { value: Math.max(...latenciesMs), unit: " ms" });
}

async function ask(
  url: string,
  token: string,
  method: "POST",
  path: string,
  body?: object,
): Promise<Record<string, string>> {
  const answer = await request(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (await answer.body.json()) as Record<string, string>;
}

async function fetchToken(url: string, client: { id: string; secret: string }): Promise<string> {
  const answer = await request(`${url}/oauth2/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  });
  return ((await answer.body.json()) as { access_token: string }).access_token;
}

/** A way to the Partner API on which answers take their time. */
async function startSlowHub(
  target: string,
  answerMs: number,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer((req, res) => {
    const onward = forward(target + req.url, { method: req.method ?? "GET", headers: req.headers });
    onward.on("response", (answer: IncomingMessage) => {
      setTimeout(() => {
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(res);
      }, answerMs);
    });
    onward.on("error", () => res.destroy());
    req.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
