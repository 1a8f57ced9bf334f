import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { request } from "undici";
import { startSimulator } from "../src/simulator/simulator.ts";
import type { Benchmark, Write } from "./main.ts";
import { openInboundLab, type RunningGateway } from "./support/inbound-lab.ts";
import { median } from "./support/statistics.ts";
import { writeAtLeast, writeFigure } from "./support/table.ts";

const HEADER = "tenant_external_id,phone_number_id,api_key\n";
const SAMPLE_EVERY_MS = 250;
// A process that has just started grows into its work; then it should stay as it is.
const PARTS = 5;
const MEMORY_RATIO_MAX = 1.1;
// What an import is paced to; less than that is ours.
const ROWS_A_SECOND = 25;
const PACE_SHARE_MIN = 0.9;

/**
 * Many numbers in one file, against a simulated 360dialog: how long they take beside the pace that is
 * kept for 360dialog's sake, and whether the last of them take more memory than the first.
 */
export const benchmark: Benchmark = {
  summary: "numbers brought in by a file, in flat memory; --rows N",
  async run(write, args) {
    const { values } = parseArgs({
      args,
      options: { rows: { type: "string", default: "10000" } },
    });
    const lab = await openInboundLab();
    const simulator = await startSimulator();
    try {
      const stage = await lab.openStage();
      const client = { id: "bench", secret: randomBytes(24).toString("base64url") };
      const gateway = await stage.startGateway({
        role: "all",
        env: {
          D360_BASE_URL: simulator.url,
          BOOTSTRAP_CLIENT_ID: client.id,
          BOOTSTRAP_CLIENT_SECRET: client.secret,
        },
      });
      const api = await openApi(gateway.url, client);
      await api("PUT", "/partner/v1/tenants/by-external-id/acme", '{"name":"Acme"}');
      const lines = Array.from({ length: Number(values.rows) }, () => {
        const { phoneNumberId, apiKey } = simulator.createNumber();
        return `acme,${phoneNumberId},${apiKey}\n`;
      });
      tell(write, await importRows({ gateway, api }, lines));
    } finally {
      await simulator.close();
      await lab.close();
    }
  },
};

type Api = (method: "GET" | "PUT" | "POST", path: string, body?: string) => Promise<unknown>;

async function openApi(url: string, client: { id: string; secret: string }): Promise<Api> {
  const basic = Buffer.from(`${client.id}:${client.secret}`).toString("base64");
  const answer = await request(`${url}/oauth2/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${basic}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  });
  const { access_token: token } = (await answer.body.json()) as { access_token: string };
  return async (method, path, body) => {
    const type = path === "/partner/v1/imports" ? "text/csv" : "application/json";
    const reply = await request(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": type }) },
      ...(body !== undefined && { body }),
    });
    const text = await reply.body.text();
    if (reply.statusCode >= 300) {
      throw new Error(`${method} ${path} was answered ${reply.statusCode}: ${text}`);
    }
    return JSON.parse(text);
  };
}

type Import = { rows: number; imported: number; seconds: number; memoryMiB: number[] };

async function importRows(
  { gateway, api }: { gateway: RunningGateway; api: Api },
  lines: string[],
): Promise<Import> {
  const startedMs = performance.now();
  const { id } = (await api("POST", "/partner/v1/imports", HEADER + lines.join(""))) as {
    id: string;
  };
  for (const memoryMiB: number[] = []; ;) {
    memoryMiB.push(gateway.residentMiB());
    const job = (await api("GET", `/partner/v1/imports/${id}`)) as {
      state: string;
      rows: { imported: number };
    };
    if (job.state === "finished") {
      const seconds = (performance.now() - startedMs) / 1000;
      return { rows: lines.length, imported: job.rows.imported, seconds, memoryMiB };
    }
    await delay(SAMPLE_EVERY_MS);
  }
}

function tell(write: Write, { rows, imported, seconds, memoryMiB }: Import): void {
  const part = Math.floor(memoryMiB.length / PARTS);
  const second = median(memoryMiB.slice(part, 2 * part));
  const last = median(memoryMiB.slice(-part));
  write(`an import of ${rows} rows`);
  writeFigure(write, "rows not imported", { value: rows - imported, atMost: 0 });
  writeFigure(write, "seconds", { value: seconds });
  writeAtLeast(write, `rows a second, to the ${ROWS_A_SECOND} that are asked for`, {
    value: rows / seconds / ROWS_A_SECOND,
    atLeast: PACE_SHARE_MIN,
  });
  writeFigure(write, "gateway, most memory", { value: Math.max(...memoryMiB), unit: " MiB" });
  writeFigure(write, "gateway, memory in the second fifth", { value: second, unit: " MiB" });
  writeFigure(write, "gateway, memory in the last fifth, to that", {
    value: last / second,
    atMost: MEMORY_RATIO_MAX,
  });
}
