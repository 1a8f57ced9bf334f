import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
});

afterAll(async () => {
  await simulator.close();
});

const MIB = 1024 * 1024;
const BYTES = randomBytes(1_000);

function form(...parts: [name: string, value: string | Blob, filename?: string][]): FormData {
  const made = new FormData();
  for (const [name, value, filename] of parts) {
    if (typeof value === "string") {
      made.append(name, value);
    } else {
      made.append(name, value, filename);
    }
  }
  return made;
}

const FILE = new Blob([BYTES], { type: "image/jpeg" });

async function upload(apiKey: string, body: FormData, query = "", to = simulator) {
  const response = await fetch(`${to.url}/media${query}`, {
    method: "POST",
    headers: { "D360-API-KEY": apiKey },
    body,
  });
  return { status: response.status, json: (await response.json()) as { id: string } };
}

/** The attachment path of a look-up's URL, on the simulator's host as callers put it. */
async function lookUp(apiKey: string, id: string) {
  const { status, json, text } = await call(`${simulator.url}/${id}`, { apiKey });
  const url = String(json["url"]);
  return { status, json, text, here: url.replace("https://lookaside.fbsbx.com", simulator.url) };
}

async function download(apiKey: string, url: string) {
  const response = await fetch(url, { headers: { "D360-API-KEY": apiKey } });
  return { status: response.status, response, bytes: Buffer.from(await response.arrayBuffer()) };
}

describe("POST /media", () => {
  it.each([
    [
      "the usual form",
      form(["messaging_product", "whatsapp"], ["type", "image/jpeg"], ["file", FILE, "a.jpg"]),
    ],
    ["the file first", form(["file", FILE, "undefined"], ["messaging_product", "whatsapp"])],
    [
      "a type in its own part only",
      form(
        ["file", new Blob([BYTES]), "a"],
        ["type", "image/jpeg"],
        ["messaging_product", "whatsapp"],
      ),
    ],
  ])("takes %s, and gives the bytes back", async (_name, body) => {
    const { apiKey } = simulator.createNumber();
    const { status, json } = await upload(apiKey, body);
    expect([status, json]).toEqual([200, { id: expect.stringMatching(/^\d{16}$/) }]);
    const { json: found, text, here } = await lookUp(apiKey, json.id);
    expect(found).toEqual({
      messaging_product: "whatsapp",
      id: json.id,
      url: expect.stringMatching(
        /^https:\/\/lookaside\.fbsbx\.com\/whatsapp_business\/attachments\/\?mid=\d+&ext=\d+&hash=ATu[\w-]+$/,
      ),
      mime_type: "image/jpeg",
      sha256: createHash("sha256").update(BYTES).digest("hex"),
      file_size: BYTES.length,
    });
    expect(text).toContain(String.raw`"https:\/\/lookaside.fbsbx.com\/whatsapp_business\/`);
    const { response, bytes } = await download(apiKey, here);
    expect(response.headers.get("content-type")).toBe("image/jpeg");
    expect(bytes.equals(BYTES)).toBe(true);
  });

  it("takes the product from the query", async () => {
    const { apiKey } = simulator.createNumber();
    const body = form(["file", FILE, "a.jpg"]);
    expect((await upload(apiKey, body, "?messaging_product=whatsapp")).status).toBe(200);
  });

  it.each([
    ["no product", form(["file", FILE, "a.jpg"]), "messaging_product"],
    ["no file", form(["messaging_product", "whatsapp"]), "file"],
    ["another product", form(["file", FILE, "a"], ["messaging_product", "sms"]), "must be one of"],
  ])("refuses %s", async (_name, body, message) => {
    const { apiKey } = simulator.createNumber();
    const { status, json } = await upload(apiKey, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { code: 100, message: expect.stringContaining(message) } });
  });

  it("takes 100 MiB, and forgets the oldest when it has no more room", async () => {
    const small = await startSimulator({ mediaBytesMax: 120 * MIB, logBytesMax: 120 * MIB });
    const { apiKey, phoneNumberId } = small.createNumber();
    const older = small.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    const file = new Blob([Buffer.alloc(100 * MIB, 7)], { type: "application/pdf" });
    const send = () =>
      upload(apiKey, form(["messaging_product", "whatsapp"], ["file", file, "a.pdf"]), "", small);
    const first = await send();
    expect((await call(`${small.url}/${older}`, { apiKey })).status).toBe(200);
    const second = await send();
    expect(small.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
    for (const [id, status] of [
      [older, 400],
      [first.json.id, 400],
      [second.json.id, 200],
    ]) {
      expect((await call(`${small.url}/${id}`, { apiKey })).status).toBe(status);
    }
    await small.close();
  });
});

const unknown = (id: string, method: string) => ({
  error: {
    message: expect.stringMatching(
      new RegExp(`^Unsupported ${method} request\\. Object with ID '${id}' does not exist`),
    ),
    type: "GraphMethodException",
    code: 100,
    error_subcode: 33,
    fbtrace_id: expect.any(String),
  },
});

describe("a media id", () => {
  it("of another number is like one that does not exist", async () => {
    const { phoneNumberId, apiKey } = simulator.createNumber();
    const other = simulator.createNumber();
    const id = simulator.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    const { here } = await lookUp(apiKey, id);
    for (const asked of [id, "1234567890"]) {
      const { status, json } = await lookUp(other.apiKey, asked);
      expect([status, json]).toEqual([400, unknown(asked, "get")]);
    }
    const options = { method: "DELETE", apiKey: other.apiKey } as const;
    const deleted = await call(`${simulator.url}/${id}`, options);
    expect([deleted.status, deleted.json]).toEqual([400, unknown(id, "delete")]);
    expect((await download(other.apiKey, here)).status).toBe(404);
    expect((await download(apiKey, here)).status).toBe(200);
  });

  it("is gone once it is deleted", async () => {
    const { phoneNumberId, apiKey } = simulator.createNumber();
    const id = simulator.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    const { here } = await lookUp(apiKey, id);
    const deleted = await call(`${simulator.url}/${id}`, { method: "DELETE", apiKey });
    expect([deleted.status, deleted.json]).toEqual([200, { success: true }]);
    expect((await lookUp(apiKey, id)).status).toBe(400);
    expect((await download(apiKey, here)).status).toBe(404);
  });

  it("can be sent by its own number only", async () => {
    const { phoneNumberId, apiKey } = simulator.createNumber();
    const other = simulator.createNumber();
    const id = simulator.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    const body = { messaging_product: "whatsapp", to: "49170", type: "image", image: { id } };
    const options = { method: "POST", body } as const;
    const own = await call(`${simulator.url}/messages`, { ...options, apiKey });
    expect(own.status).toBe(200);
    const foreign = await call(`${simulator.url}/messages`, { ...options, apiKey: other.apiKey });
    expect(foreign.status).toBe(400);
    expect(foreign.json["error"]).toMatchObject({ code: 131009 });
  });
});

describe("the URL of a look-up", () => {
  it("is refused with another hash", async () => {
    const { phoneNumberId, apiKey } = simulator.createNumber();
    const id = simulator.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    const { here } = await lookUp(apiKey, id);
    expect((await download(apiKey, `${here}x`)).status).toBe(404);
    expect((await download(apiKey, here.replace("&ext=", "&ext=9"))).status).toBe(404);
    expect((await download("wrong", here)).status).toBe(401);
  });

  it("is refused when its time is over", async () => {
    const expired = await startSimulator({ mediaUrlLifetimeMs: 0 });
    const { phoneNumberId, apiKey } = expired.createNumber();
    const id = expired.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    const { json } = await call(`${expired.url}/${id}`, { apiKey });
    const here = String(json["url"]).replace("https://lookaside.fbsbx.com", expired.url);
    expect((await download(apiKey, here)).status).toBe(404);
    await expired.close();
  });
});

describe("look-ups that fail", () => {
  const block = { failures: 3, withinMs: 60_000, blockMs: 60_000 };

  it("block the number's look-ups, and no other number's", async () => {
    const strict = await startSimulator({ mediaLookUpBlock: block });
    const { phoneNumberId, apiKey } = strict.createNumber();
    const other = strict.createNumber();
    const id = strict.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    const otherId = strict.addMedia(other.phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    for (const expected of ["does not exist", "does not exist", "does not exist", "rate limit"]) {
      const { status, text } = await call(`${strict.url}/404`, { apiKey });
      expect([status, text]).toEqual([400, expect.stringContaining(expected)]);
    }
    expect((await call(`${strict.url}/${id}`, { apiKey })).status).toBe(400);
    expect((await call(`${strict.url}/${otherId}`, { apiKey: other.apiKey })).status).toBe(200);
    await strict.close();
  });

  it("never do when told so", async () => {
    const patient = await startSimulator({ mediaLookUpBlock: "never" });
    const { phoneNumberId, apiKey } = patient.createNumber();
    const id = patient.addMedia(phoneNumberId, { bytes: BYTES, mimeType: "image/png" });
    for (let count = 0; count < 25; count += 1) {
      await call(`${patient.url}/404`, { apiKey });
    }
    expect((await call(`${patient.url}/${id}`, { apiKey })).status).toBe(200);
    await patient.close();
  });
});

describe("POST /simulator/numbers/ID/media", () => {
  it("adds the body as a file of its content type", async () => {
    const { phoneNumberId, apiKey } = simulator.createNumber();
    const response = await fetch(
      `${simulator.url}/simulator/numbers/${phoneNumberId}/media?filename=a.ogg`,
      { method: "POST", headers: { "content-type": "audio/ogg" }, body: BYTES },
    );
    expect(response.status).toBe(201);
    const { id } = (await response.json()) as { id: string };
    expect((await lookUp(apiKey, id)).json).toMatchObject({
      mime_type: "audio/ogg",
      file_size: BYTES.length,
    });
  });
});
