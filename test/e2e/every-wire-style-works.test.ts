import { randomBytes } from "node:crypto";
import { request as rawRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatwoot360Dialog } from "../clients/chatwoot-360dialog.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const FILE = randomBytes(3_000);
const USER = "15550001111";
const HI = { messaging_product: "whatsapp", type: "text", text: { body: "Hi" } };
const text = { to: USER, ...HI };
const JSON_TYPE = { "content-type": "application/json" };

const numericIds = {
  messaging_product: "whatsapp",
  to: Number(USER),
  type: "interactive",
  interactive: {
    type: "list",
    body: { text: "Which?" },
    action: { button: "Choose", sections: [{ rows: [{ id: 1, title: "One" }] }] },
  },
};
const BODIES: [name: string, path: string, body: object][] = [
  ["with no version in its path", "/PID/messages", text],
  ["with a slash at its end", "/v23.0/PID/messages/", text],
  ["with a version and no number", "/v23.0/messages", text],
  ["with 360dialog's old version", "/v1/messages", text],
  ["with `to` as a number", "/v23.0/PID/messages", { ...HI, to: Number(USER) }],
  ["with numeric row ids", "/v23.0/PID/messages", numericIds],
  ["with a member that is null", "/messages", { ...text, text: { body: "Hi", preview_url: null } }],
  ["with unknown members", "/messages", { ...text, my_own: { x: [1, null] } }],
  ["with `recipient` and no `to`", "/messages", { ...HI, recipient: "US.1234" }],
  ["with `to` of another writing", "/messages", { ...HI, to: "+1 (555) 000-1111" }],
];

const part = (disposition: string, content: string | Buffer, more = "") =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n`),
    Buffer.from(content),
    Buffer.from("\r\n"),
  ]);
const file = (name: string) =>
  part(`name="file"; filename="${name}"`, FILE, "Content-Type: image/png\r\n");
const product = part('name="messaging_product"', "whatsapp");
const type = part('name="type"', "image/png");
const end = Buffer.from("--b--\r\n");

const fixed = (body: Buffer, headers: Record<string, string>) => ({
  ...headers,
  "content-length": String(body.length),
});

/** How clients write their calls, beyond what the packages and habits tested by name do. */
describe("a call", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let bearer: Record<string, string>;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    tenant = await buildTenant(gateway);
    bearer = { authorization: `Bearer ${tenant.token}` };
  });
  afterAll(() => gateway.stop());

  /** Past every client library, so that headers and framing are as they are written here. */
  function send(
    method: string,
    path: string,
    headers: Record<string, string>,
    chunks: readonly Buffer[] = [],
  ): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const req = rawRequest(gateway.url + path, { method, headers });
      req.on("error", reject);
      req.on("response", (res) => {
        const parts: Buffer[] = [];
        res.on("data", (chunk: Buffer) => parts.push(chunk));
        res.on("end", () => resolve({ status: res.statusCode ?? 0, body: Buffer.concat(parts) }));
      });
      for (const chunk of chunks) {
        req.write(chunk);
      }
      req.end();
    });
  }
  const upstream = () => gateway.simulator.requests.at(-1);
  const addMedia = () =>
    gateway.simulator.addMedia(tenant.phoneNumberId, { bytes: FILE, mimeType: "image/png" });

  describe.each(["of fixed length", "in chunks"])("%s", (framing) => {
    it.each(BODIES)("%s reaches 360dialog byte for byte", async (_name, form, json) => {
      const body = Buffer.from(JSON.stringify(json));
      const path = form.replace("PID", tenant.phoneNumberId);
      const headers = { ...JSON_TYPE, ...bearer };
      const answer =
        framing === "in chunks"
          ? await send("POST", path, { ...headers, "transfer-encoding": "chunked" }, [
              body.subarray(0, 7),
              body.subarray(7),
            ])
          : await send("POST", path, fixed(body, headers), [body]);
      expect(answer.status).toBe(200);
      expect(`${upstream()?.method} ${upstream()?.url}`).toBe("POST /messages");
      expect(upstream()?.body).toEqual(body);
      expect(upstream()?.headers["d360-api-key"]).toBe(tenant.apiKey);
    });
  });

  it.each(["D360-API-KEY", "D360-Api-Key", "d360-api-key", "D360-Api-key"])(
    "is taken with its token in %s",
    async (name) => {
      const body = Buffer.from(JSON.stringify(text));
      const headers = fixed(body, { ...JSON_TYPE, [name]: tenant.token });
      expect((await send("POST", "/messages", headers, [body])).status).toBe(200);
      expect(upstream()?.headers["d360-api-key"]).toBe(tenant.apiKey);
      expect(JSON.stringify(upstream()?.rawHeaders)).not.toContain(tenant.token);
    },
  );

  it.each([
    "/v23.0/ID",
    "/ID",
    "/ID/",
    "/v1/media/ID",
    "/media/ID",
    "/v23.0/ID?phone_number_id=PID",
  ])("that is a GET of %s with a JSON content type and no body finds a file", async (form) => {
    const id = addMedia();
    const path = form.replace("PID", tenant.phoneNumberId).replace("ID", id);
    const answer = await send("GET", path, { ...JSON_TYPE, ...bearer });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ id, file_size: FILE.length });
    expect(`${upstream()?.method} ${upstream()?.url}`).toBe(`GET /${id}`);
  });

  it("that deletes a file with a JSON content type and ?phone_number_id= does", async () => {
    const id = addMedia();
    const path = `/v23.0/${id}?phone_number_id=${tenant.phoneNumberId}`;
    const answer = await send("DELETE", path, { ...JSON_TYPE, ...bearer });
    expect(answer.body.toString()).toBe('{"success":true}');
    expect(`${upstream()?.method} ${upstream()?.url}`).toBe(`DELETE /${id}`);
  });

  it("for the bytes of a file may name Meta's host and bring no credential", async () => {
    const found = await tenant.call("GET", `/${addMedia()}`);
    const { pathname, search } = new URL(found.json.url);
    const answer = await send("GET", pathname + search, { host: "lookaside.fbsbx.com" });
    expect([answer.status, answer.body]).toEqual([200, FILE]);
  });

  it("for the bytes of a file may bring the credential as well", async () => {
    const found = await tenant.call("GET", `/${addMedia()}`);
    const { pathname, search } = new URL(found.json.url);
    const answer = await send("GET", pathname + search, bearer);
    expect([answer.status, answer.body]).toEqual([200, FILE]);
    expect(JSON.stringify([upstream()?.url, upstream()?.rawHeaders])).not.toContain(tenant.token);
  });

  it.each([
    ["a file named undefined", [product, file("undefined"), type, end]],
    ["a file named blob", [product, file("blob"), type, end]],
    ["no type", [product, file("a.png"), end]],
    ["the file first", [file("a.png"), type, product, end]],
  ])("that uploads a form with %s, in chunks, is taken byte for byte", async (_name, parts) => {
    const headers = {
      ...bearer,
      "content-type": "multipart/form-data; boundary=b",
      "transfer-encoding": "chunked",
    };
    const answer = await send("POST", `/v23.0/${tenant.phoneNumberId}/media`, headers, parts);
    expect(answer.status).toBe(200);
    expect(`${upstream()?.method} ${upstream()?.url}`).toBe("POST /media");
    expect(upstream()?.body).toEqual(Buffer.concat(parts));
    const { id } = JSON.parse(answer.body.toString()) as { id: string };
    expect((await tenant.call("GET", `/${id}`)).json.file_size).toBe(FILE.length);
  });

  describe("of Chatwoot's provider 360dialog", () => {
    let chatwoot: ReturnType<typeof chatwoot360Dialog>;
    beforeAll(() => {
      chatwoot = chatwoot360Dialog({ url: gateway.url, token: tenant.token });
    });

    it("sets the webhook of the number", async () => {
      const url = "https://chatwoot.example.com/webhooks/whatsapp/+15550001111";
      expect(await chatwoot.setWebhook(url)).toMatchObject({ url });
      const endpoints = await tenant.call("GET", "/tenant/v1/webhook-endpoints");
      expect(endpoints.json.data).toMatchObject([{ url, managed_by: "drop_in" }]);
    });

    it("lists the templates", async () => {
      gateway.simulator.addTemplate(tenant.phoneNumberId, { name: "greeting" });
      expect(await chatwoot.listTemplates()).toEqual(["greeting"]);
      expect(upstream()?.url).toBe("/v1/configs/templates");
    });

    it("finds a file", async () => {
      const id = addMedia();
      expect(await chatwoot.lookUp(id)).toMatchObject({ id });
      expect(upstream()?.url).toBe(`/${id}`);
    });

    it("sends without messaging_product, and 360dialog refuses that, not we", async () => {
      const refusal = await chatwoot.text(USER, "Hi").catch((error: unknown) => error);
      expect(refusal).toMatchObject({ status: 400, code: 100 });
      expect((refusal as Error).cause).not.toHaveProperty("request_id");
      expect(`${upstream()?.method} ${upstream()?.url}`).toBe("POST /messages");
      const body = { to: USER, type: "text", text: { body: "Hi" } };
      expect(upstream()?.body).toEqual(Buffer.from(JSON.stringify(body)));
    });
  });
});
