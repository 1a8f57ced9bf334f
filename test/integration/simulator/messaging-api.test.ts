import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { eventually } from "./eventually.ts";
import { call, readReceipt, textTo } from "./call.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
});

afterAll(async () => {
  await simulator.close();
});

describe("POST /messages", () => {
  it("accepts a message with Meta's body and Meta's headers", async () => {
    const { apiKey } = simulator.createNumber();
    const { status, headers, json } = await call(`${simulator.url}/messages`, {
      method: "POST",
      apiKey,
      body: textTo("+49 170 1234567"),
    });
    expect(status).toBe(200);
    expect(json).toEqual({
      messaging_product: "whatsapp",
      contacts: [{ input: "+49 170 1234567", wa_id: "491701234567" }],
      messages: [{ id: expect.stringMatching(/^wamid\./) }],
    });
    expect(headers).toMatchObject({
      "content-type": "application/json; charset=UTF-8",
      "access-control-allow-origin": "*",
      "x-fb-trace-id": expect.any(String),
    });
  });

  it("takes the recipient as a JSON number and echoes it as text", async () => {
    const { apiKey } = simulator.createNumber();
    const body = textTo(491701234567);
    const { json } = await call(`${simulator.url}/messages`, { method: "POST", apiKey, body });
    expect(json["contacts"]).toEqual([{ input: "491701234567", wa_id: "491701234567" }]);
  });

  it("takes a chunked body and a key header in any case", async () => {
    const { apiKey } = simulator.createNumber();
    const req = httpRequest(`${simulator.url}/messages`, {
      method: "POST",
      headers: { "d360-Api-key": apiKey, "content-type": "application/json; charset=utf-8" },
    });
    const json = JSON.stringify(textTo("491701234567"));
    req.write(json.slice(0, 10));
    req.end(json.slice(10));
    const [res] = await once(req, "response");
    expect(res.statusCode).toBe(200);
    expect(await text(res)).toContain("wamid.");
    expect(simulator.requests.at(-1)?.headers["transfer-encoding"]).toBe("chunked");
  });

  it("answers a read receipt with success", async () => {
    const { apiKey } = simulator.createNumber();
    const { status, text: body } = await call(`${simulator.url}/messages`, {
      method: "POST",
      apiKey,
      body: readReceipt,
    });
    expect([status, body]).toEqual([200, '{"success":true}']);
  });

  it("refuses in Meta's envelope", async () => {
    const { apiKey } = simulator.createNumber();
    const { status, headers, json } = await call(`${simulator.url}/messages`, {
      method: "POST",
      apiKey,
      body: { messaging_product: "whatsapp", to: "491701234567", type: "text" },
    });
    expect(status).toBe(400);
    expect(json).toEqual({
      error: {
        message: "(#131008) Required parameter is missing",
        type: "OAuthException",
        code: 131008,
        error_data: {
          messaging_product: "whatsapp",
          details: "Parameter 'text' is mandatory for type 'text'",
        },
        fbtrace_id: headers["x-fb-trace-id"],
      },
    });
  });

  it("finds no parameters in a body that is not declared as JSON", async () => {
    const { apiKey } = simulator.createNumber();
    const req = httpRequest(`${simulator.url}/messages`, {
      method: "POST",
      headers: { "D360-API-KEY": apiKey },
    });
    req.end(JSON.stringify(textTo("491701234567")));
    const [res] = await once(req, "response");
    expect(res.statusCode).toBe(400);
    expect(await text(res)).toContain("messaging_product is required");
  });
});

describe("keys", () => {
  it.each([
    ["/messages", { error: "Invalid api token." }],
    [
      "/v1/configs/webhook",
      { meta: { success: false, http_code: 401, developer_message: "Invalid API key" } },
    ],
  ])("answers a missing and a wrong key on %s alike", async (path, expected) => {
    for (const options of [{}, { apiKey: "wrong" }]) {
      const { status, json, headers } = await call(simulator.url + path, options);
      expect([status, json]).toEqual([401, expected]);
      expect(headers).not.toHaveProperty("x-fb-trace-id");
    }
  });

  it("kills the old key with the new one and forgets the webhook", async () => {
    const { phoneNumberId, apiKey } = simulator.createNumber();
    const settings = `${simulator.url}/v1/configs/webhook`;
    await call(settings, { method: "POST", apiKey, body: { url: "https://example.com/hook" } });
    const newKey = simulator.rotateKey(phoneNumberId);
    expect((await call(settings, { apiKey })).status).toBe(401);
    expect((await call(settings, { apiKey: newKey })).status).toBe(404);
  });
});

describe("GET /health_status", () => {
  it("names the number, and shows it when asked to", async () => {
    const { apiKey, phoneNumberId, wabaId, displayPhoneNumber } = simulator.createNumber();
    const plain = await call(`${simulator.url}/health_status`, { apiKey });
    expect(plain.json).not.toHaveProperty("display_phone_number");
    expect(plain.headers).not.toHaveProperty("x-fb-trace-id");
    expect(plain.json["health_status"]).toMatchObject({
      can_send_message: "AVAILABLE",
      entities: [
        { entity_type: "PHONE_NUMBER", id: phoneNumberId, can_send_message: "AVAILABLE" },
        { entity_type: "WABA", id: wabaId },
        { entity_type: "BUSINESS" },
        { entity_type: "APP" },
      ],
    });
    const asked = await call(`${simulator.url}/health_status?fields=id,display_phone_number`, {
      apiKey,
    });
    expect(asked.json["display_phone_number"]).toBe(displayPhoneNumber);
  });
});

describe("refusals", () => {
  it.each([
    ["disabled", 400, "Your WhatsApp for Business API has been disabled"],
    ["unpaid", 400, expect.stringContaining("lack of payment")],
    ["notRunning", 502, "WhatsApp for Business API not available"],
  ])(
    "takes no calls for a number that is %s, until it is no longer",
    async (state, code, message) => {
      const { apiKey, phoneNumberId } = simulator.createNumber();
      simulator.setNumberState(phoneNumberId, { [state]: true });
      const { status, json } = await call(`${simulator.url}/health_status`, { apiKey });
      expect(status).toBe(code);
      expect(json).toEqual({
        meta: { success: false, http_code: code, developer_message: message },
      });
      simulator.setNumberState(phoneNumberId, { [state]: false });
      expect((await call(`${simulator.url}/health_status`, { apiKey })).status).toBe(200);
    },
  );

  it.each(["/106540352242922/messages", "/v19.0/messages", "/v23.0/1/health_status"])(
    "answers 404 to %s: the id and the version do not belong there",
    async (path) => {
      const { apiKey } = simulator.createNumber();
      const options = { method: "POST", apiKey, body: textTo("49170") } as const;
      expect((await call(simulator.url + path, options)).status).toBe(404);
    },
  );

  it.each(["/v1/messages", "/unknown", "/messages/", "/v1/contacts"])("blocks %s", async (path) => {
    const { apiKey } = simulator.createNumber();
    const { status, json } = await call(simulator.url + path, { method: "POST", apiKey, body: {} });
    expect(status).toBe(403);
    expect(json["meta"]).toMatchObject({ developer_message: "The endpoint is blocked" });
  });

  it("asks for the key before it says whether a path is blocked", async () => {
    expect((await call(`${simulator.url}/unknown`)).status).toBe(401);
  });
});

describe("requests", () => {
  it("keeps a call whose caller went away within the body", async () => {
    simulator.clearRequests();
    const { apiKey, phoneNumberId } = simulator.createNumber();
    const socket = connect(simulator.port, "127.0.0.1");
    socket.end(
      `POST /messages HTTP/1.1\r\nhost: a\r\nd360-api-key: ${apiKey}\r\ncontent-length: 100\r\n\r\n{`,
    );
    socket.resume();
    await eventually(() =>
      expect(simulator.requests).toMatchObject([{ complete: false, phoneNumberId }]),
    );
    expect(simulator.requests[0]).not.toHaveProperty("status");
  });

  it("keeps each call as it came", async () => {
    simulator.clearRequests();
    const { apiKey, phoneNumberId } = simulator.createNumber();
    const body = textTo("49170");
    await call(`${simulator.url}/messages?x=1`, { method: "POST", apiKey, body });
    expect(simulator.requests).toHaveLength(1);
    const [kept] = simulator.requests;
    expect(kept).toMatchObject({
      method: "POST",
      url: "/messages?x=1",
      complete: true,
      phoneNumberId,
      status: 200,
    });
    expect(kept?.rawHeaders).toContain("D360-API-KEY");
    expect(kept?.body.toString()).toBe(JSON.stringify(body));
  });
});
