import { randomBytes } from "node:crypto";
import { Client, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const FILE = randomBytes(70_000);

async function download(url: string, headers: Record<string, string> = {}) {
  const answer = await request(url, { headers });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: Buffer.from(await answer.body.arrayBuffer()),
  };
}

async function* tooMuch(): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(1024 * 1024);
  for (let mebibytes = 0; mebibytes < 102; mebibytes++) {
    yield chunk;
  }
}

describe("a media file", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  async function upload(path: string, token = tenant.token): Promise<string> {
    const form = new FormData();
    form.append("messaging_product", "whatsapp");
    form.append("file", new Blob([FILE], { type: "image/png" }), "a.png");
    const answer = await fetch(gateway.url + path, {
      method: "POST",
      body: form,
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { id: string }).id;
  }

  it("that is not passed on leaves its caller's connection good for the next call", async () => {
    const own = await buildTenant(gateway, { name: "Suspended" });
    await gateway.partner("POST", `/partner/v1/numbers/${own.numberId}/suspend`);
    const client = new Client(gateway.url, { bodyTimeout: 5000, headersTimeout: 5000 });
    const ask = async (method: "GET" | "POST", path: string, body?: Buffer) => {
      const answer = await client.request({
        method,
        path,
        headers: { authorization: `Bearer ${own.token}`, "content-type": "multipart/form-data" },
        ...(body !== undefined && { body }),
      });
      await answer.body.dump();
      return answer.statusCode;
    };
    const connections: unknown[] = [];
    client.on("connect", () => connections.push(true));
    expect(await ask("POST", "/media", Buffer.alloc(5 * 1024 * 1024))).toBe(403);
    expect(await ask("GET", "/tenant/v1/numbers")).toBe(200);
    expect(connections).toHaveLength(1);
    await client.close();
  });

  it("goes up, is looked up, and comes down by a URL of ours without a credential", async () => {
    const id = await upload(`/v23.0/${tenant.phoneNumberId}/media`);
    const found = await tenant.call("GET", `/v23.0/${id}`);
    expect(found.json).toMatchObject({ id, mime_type: "image/png", file_size: FILE.length });
    expect(found.json.url).toContain(
      `${gateway.url}/whatsapp_business/attachments/?mid=${id}&ext=`,
    );

    const file = await download(found.json.url);
    expect(file.status).toBe(200);
    expect(file.body.equals(FILE)).toBe(true);
    expect(file.headers).toMatchObject({
      "content-type": "image/png",
      "content-length": String(FILE.length),
      "content-disposition": "attachment",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
      "cache-control": "private, no-store",
    });
    expect(file.headers["set-cookie"]).toBeUndefined();
    const upstream = gateway.simulator.requests.at(-1);
    expect(upstream?.url).toMatch(
      /^\/whatsapp_business\/attachments\/\?mid=\d+&ext=\d+&hash=[^&]+$/,
    );
    expect(upstream?.headers["d360-api-key"]).toBe(tenant.apiKey);
  });

  it("comes down by the same path with a credential and no signature, as at 360dialog", async () => {
    const id = await upload("/media");
    const { json } = await tenant.call("GET", `/${id}`);
    const url = new URL(json.url);
    url.searchParams.delete("exp");
    url.searchParams.delete("sig");
    expect((await download(url.href)).status).toBe(401);
    const file = await download(url.href, { "d360-api-key": tenant.token });
    expect(file.body.equals(FILE)).toBe(true);
    expect(file.headers["content-disposition"]).toBe("attachment");
  });

  it("comes down for nobody when a letter of its URL is another", async () => {
    const id = await upload("/media");
    const { json } = await tenant.call("GET", `/${id}`);
    const calls = gateway.simulator.requests.length;
    for (const name of ["mid", "ext", "hash", "exp", "sig"]) {
      const url = new URL(json.url);
      url.searchParams.set(name, `${url.searchParams.get(name)}0`);
      const answer = await download(url.href);
      expect(answer.status, name).toBe(404);
    }
    expect(gateway.simulator.requests.length).toBe(calls);
  });

  it("is looked up on the number that it was seen on, where none is named", async () => {
    const two = await buildTenant(gateway, { name: "Two numbers" });
    const second = await addNumber(gateway, two.id);
    const uploaded = await upload(`/${second.phoneNumberId}/media`, two.token);
    expect((await two.call("GET", `/${uploaded}`)).status).toBe(200);
    expect(gateway.simulator.requests.at(-1)?.phoneNumberId).toBe(second.phoneNumberId);

    const received = gateway.simulator.addMedia(second.phoneNumberId, {
      bytes: FILE,
      mimeType: "image/jpeg",
    });
    gateway.simulator.receiveMessage({
      phoneNumberId: second.phoneNumberId,
      from: "15550002222",
      message: { type: "image", image: { id: received, mime_type: "image/jpeg", sha256: "x" } },
    });
    await eventually(async () => (await two.call("GET", `/${received}`)).status === 200);
    const unknown = await two.call("GET", "/999999999999999");
    expect([unknown.status, unknown.json.code]).toEqual([400, "phone_number_required"]);
  });

  it("of another tenant and one that does not exist are answered alike by 360dialog", async () => {
    const other = await buildTenant(gateway, { name: "Other" });
    const id = await upload("/media");
    const foreign = await other.call("GET", `/${id}`);
    const missing = await other.call("GET", `/${"9".repeat(id.length)}`);
    expect([foreign.status, foreign.json.error.code]).toEqual([
      missing.status,
      missing.json.error.code,
    ]);
    expect(gateway.simulator.requests.at(-1)?.phoneNumberId).toBe(other.phoneNumberId);
  });

  it("is not given by a URL of a number or tenant that is no longer active", async () => {
    const leaving = await buildTenant(gateway, { name: "Leaving" });
    const id = await upload("/media", leaving.token);
    const { url } = (await leaving.call("GET", `/${id}`)).json as { url: string };
    expect((await download(url)).status).toBe(200);
    await gateway.partner("POST", `/partner/v1/numbers/${leaving.numberId}/suspend`);
    expect((await download(url)).status).toBe(403);
    await gateway.partner("POST", `/partner/v1/numbers/${leaving.numberId}/resume`);
    await gateway.partner("POST", `/partner/v1/tenants/${leaving.id}/suspend`);
    expect((await download(url)).status).toBe(403);
    await gateway.partner("DELETE", `/partner/v1/tenants/${leaving.id}`);
    expect((await download(url)).status).toBe(404);
  });

  it("is deleted", async () => {
    const id = await upload("/media");
    expect((await tenant.call("DELETE", `/${id}`)).json).toEqual({ success: true });
    expect((await tenant.call("GET", `/${id}`)).status).toBe(400);
  });

  it("goes up in parts by a resumable upload", async () => {
    const begun = await tenant.call(
      "POST",
      `/uploads?file_length=${FILE.length}&file_type=image/png`,
    );
    const id = begun.json.id as string;
    const answer = await request(`${gateway.url}/v23.0/${id}`, {
      method: "POST",
      body: FILE,
      headers: { authorization: `Bearer ${tenant.token}`, file_offset: "0" },
    });
    expect(await answer.body.json()).toMatchObject({ h: expect.any(String) as string });
    expect((await tenant.call("GET", `/${id}`)).json.file_offset).toBe(FILE.length);
  });

  it("that meets a changed key on its way up is told to come again", async () => {
    const rotated = await buildTenant(gateway, { name: "Rotated" });
    const newKey = gateway.simulator.rotateKey(rotated.phoneNumberId);
    // Behind our back: the gateway finds out by the 401.
    const refused = await request(`${gateway.url}/media`, {
      method: "POST",
      body: FILE,
      headers: { authorization: `Bearer ${rotated.token}` },
    });
    expect(refused.statusCode).toBe(502);
    await gateway.partner("POST", `/partner/v1/numbers/${rotated.numberId}/api-key`, {
      api_key: newKey,
    });
    await upload("/media", rotated.token);
  });

  it("above 100 MiB is refused with 413, announced or not, and not passed on whole", async () => {
    const announced = await request(`${gateway.url}/media`, {
      method: "POST",
      headers: { authorization: `Bearer ${tenant.token}`, "content-length": "106000000" },
      body: Buffer.alloc(0),
    }).catch((error: unknown) => error);
    expect(announced).toBeDefined();
    const answer = await request(`${gateway.url}/media`, {
      method: "POST",
      headers: { authorization: `Bearer ${tenant.token}` },
      body: tooMuch() as never,
    });
    expect(answer.statusCode).toBe(413);
    expect(await answer.body.json()).toMatchObject({ code: "too_large" });
  });
});
