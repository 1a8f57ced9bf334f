import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import type { Benchmark } from "./main.ts";
import { median, percentile, runSlice } from "./support/load.ts";
import { type Contender, startProcess } from "./support/process.ts";

const PHONE_NUMBER_ID = "106540352242922";
const ROUNDS = 7;
const REQUESTS_A_SLICE = 6000;
const CONNECTIONS = 64;
const BODY = JSON.stringify({
  messaging_product: "whatsapp",
  recipient_type: "individual",
  to: "15550001111",
  type: "text",
  text: {
    body: "Your order is on its way. It should be with you by tomorrow noon.",
    preview_url: false,
  },
});

/**
 * CPU for a forwarded send, against a bare relay of `node:http` and `undici.request` in the same
 * run. The gateway does all it does for a tenant: token, number, key, log line.
 */
export const benchmark: Benchmark = {
  summary: "CPU and latency of a forwarded send, against a bare relay",
  async run(write) {
    const support = join(import.meta.dirname, "support");
    const dataDir = await mkdtemp(join(tmpdir(), "wg-bench-"));
    const upstream = await startProcess([join(support, "upstream.ts"), PHONE_NUMBER_ID]);
    const bare = await startProcess([join(support, "bare-relay.ts"), upstream.url]);
    const { gateway, path, token } = await startGateway(dataDir, upstream.url);
    const contenders = [
      { name: "bare relay", contender: bare, path: "/messages", headers: {} },
      { name: "gateway", contender: gateway, path, headers: { authorization: `Bearer ${token}` } },
    ];
    const figures = contenders.map(() => ({
      cpuUs: [] as number[],
      latenciesMs: [] as number[],
      rates: [] as number[],
    }));

    for (let round = 0; round <= ROUNDS; round++) {
      // Interleaved, because machines drift; the first round only warms up.
      for (const [index, { contender, path: target, headers }] of contenders.entries()) {
        const before = contender.cpuMs();
        const slice = await runSlice({
          url: contender.url,
          path: target,
          headers: { "content-type": "application/json", ...headers },
          body: BODY,
          connections: CONNECTIONS,
          requests: REQUESTS_A_SLICE,
        });
        if (slice.failed > 0) {
          throw new Error(`${slice.failed} of ${slice.requests} calls failed`);
        }
        if (round > 0) {
          figures[index]?.cpuUs.push(((contender.cpuMs() - before) * 1000) / slice.requests);
          figures[index]?.rates.push(slice.requests / slice.seconds);
          figures[index]?.latenciesMs.push(...slice.latenciesMs);
        }
      }
    }
    write(
      `${ROUNDS} rounds of ${REQUESTS_A_SLICE} sends over ${CONNECTIONS} connections, medians\n`,
    );
    write("             CPU µs/call   calls/s   p50 ms   p99 ms");
    for (const [index, { name }] of contenders.entries()) {
      const { cpuUs = [], rates = [], latenciesMs = [] } = figures[index] ?? {};
      const row = [median(cpuUs), median(rates)].map((value) => value.toFixed(0).padStart(10));
      const times = [0.5, 0.99].map((share) =>
        percentile(latenciesMs, share).toFixed(1).padStart(8),
      );
      write(`${name.padEnd(13)}${row.join("")}${times.join(" ")}`);
    }
    const ratios = (figures[1]?.cpuUs ?? []).map(
      (cpu, index) => cpu / (figures[0]?.cpuUs[index] ?? 1),
    );
    write(`\nCPU, gateway to bare relay: ${median(ratios).toFixed(2)}`);
    for (const { stop } of [gateway, bare, upstream]) {
      stop();
    }
    await rm(dataDir, { recursive: true, force: true });
  },
};

type Started = { gateway: Contender; path: string; token: string };

/** A gateway with one tenant and one number. */
async function startGateway(dataDir: string, upstreamUrl: string): Promise<Started> {
  const partner = { id: "bench", secret: randomBytes(24).toString("base64url") };
  const main = join(import.meta.dirname, "../src/main.ts");
  const settings = {
    PORT: "0",
    DATA_DIR: dataDir,
    D360_BASE_URL: upstreamUrl,
    BOOTSTRAP_CLIENT_ID: partner.id,
    BOOTSTRAP_CLIENT_SECRET: partner.secret,
    ...(process.env["DATABASE_URL"] && { DATABASE_URL: process.env["DATABASE_URL"] }),
  };
  const gateway = await startProcess([main, "start"], settings);
  const partnerToken = await fetchToken(gateway.url, partner);
  const post = (path: string, body: object) => callJson(gateway.url, path, partnerToken, body);
  const tenant = await post("/partner/v1/tenants", { name: "bench" });
  const client = await post(`/partner/v1/tenants/${String(tenant["id"])}/clients`, {});
  await post(`/partner/v1/tenants/${String(tenant["id"])}/numbers`, {
    phone_number_id: PHONE_NUMBER_ID,
    api_key: "the-key-of-the-benchmark",
  });
  const token = await fetchToken(gateway.url, {
    id: String(client["client_id"]),
    secret: String(client["client_secret"]),
  });
  return { gateway, path: `/v23.0/${PHONE_NUMBER_ID}/messages`, token };
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
  const { access_token } = (await answer.body.json()) as { access_token: string };
  return access_token;
}

async function callJson(
  url: string,
  path: string,
  token: string,
  body: object,
): Promise<Record<string, unknown>> {
  const answer = await request(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await answer.body.json()) as Record<string, unknown>;
}
