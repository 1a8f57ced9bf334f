import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildTenant, type TestTenant } from "../support/gateway.ts";
import { type GatewaysTogether, startGatewaysTogether } from "../support/gateways-together.ts";

const MiB = 1024 * 1024;
const FILE_BYTES = 100 * MiB;
const GROWTH_MAX_BYTES = 64 * MiB;
const CHUNK = randomBytes(MiB);
const BOUNDARY = "----100-mebibytes";
const HEAD = [
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="messaging_product"',
  "",
  "whatsapp",
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="file"; filename="film.mp4"',
  "Content-Type: video/mp4",
  "",
  "",
].join("\r\n");
const TAIL = `\r\n--${BOUNDARY}--\r\n`;

async function* formOf(bytes: number): AsyncGenerator<Buffer> {
  yield Buffer.from(HEAD);
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    yield CHUNK.subarray(0, bytes - sent);
  }
  yield Buffer.from(TAIL);
}

/** The reader takes a mebibyte, and its time; what it has not taken must wait at 360dialog. */
async function download(url: string, pauseMs: number): Promise<{ bytes: number; sha256: string }> {
  const answer = await request(url);
  expect(answer.statusCode).toBe(200);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    hash.update(chunk);
    const mebibytes = Math.floor(bytes / MiB);
    bytes += chunk.length;
    if (pauseMs > 0 && Math.floor(bytes / MiB) > mebibytes) {
      await pause(pauseMs);
    }
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Linux tells the most memory that a process has held since it was told to forget that. */
describe.skipIf(process.platform !== "linux")("100 MiB of media (needs Linux)", () => {
  let gateways: GatewaysTogether;
  let tenant: TestTenant;
  let mediaUrl: string;

  beforeAll(async () => {
    gateways = await startGatewaysTogether(1);
    tenant = await buildTenant(gateways);
    // Buffers and code that any call needs are there before anything is measured.
    await upload(32 * MiB, true);
    await download(await lookUp(await upload(32 * MiB, false)), 0);
  });
  afterAll(() => gateways.stop());

  const fileOf = (name: string): string => `/proc/${gateways.gateways[0]?.process.pid}/${name}`;

  async function heldBytes(what: "VmRSS" | "VmHWM"): Promise<number> {
    const status = await readFile(fileOf("status"), "utf8");
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  }

  async function expectFlat(work: () => Promise<void>): Promise<void> {
    await writeFile(fileOf("clear_refs"), "5");
    const before = await heldBytes("VmRSS");
    await work();
    const growth = (await heldBytes("VmHWM")) - before;
    expect(growth).toBeLessThan(GROWTH_MAX_BYTES);
  }

  async function upload(bytes: number, chunked: boolean): Promise<string> {
    const length = HEAD.length + bytes + TAIL.length;
    const answer = await request(`${gateways.url}/media`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${tenant.token}`,
        "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
        ...(!chunked && { "content-length": String(length) }),
      },
      body: formOf(bytes) as never,
    });
    expect(answer.statusCode).toBe(200);
    return ((await answer.body.json()) as { id: string }).id;
  }

  async function lookUp(id: string): Promise<string> {
    const { json } = await tenant.call("GET", `/${id}`);
    return json.url as string;
  }

  const whole = createHash("sha256");
  for (let bytes = 0; bytes < FILE_BYTES; bytes += CHUNK.length) {
    whole.update(CHUNK);
  }
  const file = { bytes: FILE_BYTES, sha256: whole.digest("hex") };

  it.each(["of known length", "in chunks"])("go up, %s", async (how) => {
    await expectFlat(async () => {
      mediaUrl = await lookUp(await upload(FILE_BYTES, how === "in chunks"));
    });
  });

  it.each([
    ["is quick", 0],
    ["is slow", 20],
  ])("come down as they went up, to a reader that %s", async (_how, pauseMs) => {
    await expectFlat(async () => {
      expect(await download(mediaUrl, pauseMs)).toEqual(file);
    });
  });
});
