import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import { fetchToken } from "../support/call.ts";

const body = textMessage("15550001111", "Hi");

describe("a send", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let other: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    tenant = await buildTenant(gateway);
    other = await buildTenant(gateway, { name: "Other" });
  });
  afterAll(() => gateway.stop());

  const forms = [
    "/messages",
    "/messages/",
    "/v1/messages",
    "/v23.0/messages",
    "/v23.0/PID/messages",
    "/v23.0/PID/messages/",
    "/v24/PID/messages",
    "/PID/messages",
    "/WABA/messages",
    "/v23.0/PHONE_NUMBER_ID/messages",
    "/messages?phone_number_id=PID",
    "/v23.0/PID/messages?phone_number_id=PID",
  ];
  it.each(forms)("reaches 360dialog as POST /messages from %s", async (form) => {
    const path = form.replaceAll("PID", tenant.phoneNumberId).replace("WABA", tenant.wabaId);
    const answer = await tenant.call("POST", path, { body });
    expect(answer.status).toBe(200);
    const upstream = gateway.simulator.requests.at(-1);
    expect(`${upstream?.method} ${upstream?.url}`).toBe("POST /messages");
    expect(upstream?.headers["d360-api-key"]).toBe(tenant.apiKey);
  });

  it("reaches it from a client that takes the gateway for a proxy", async () => {
    const { hostname, port, host } = new URL(gateway.url);
    const statusOf = async (target: string, token?: string) => {
      const headers = {
        "content-type": "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      };
      const req = httpRequest({ hostname, port, method: "POST", path: target, headers });
      const [res] = (await once(req.end(JSON.stringify(body)), "response")) as [IncomingMessage];
      res.resume();
      return res.statusCode;
    };
    expect(await statusOf(`http://${host}/v23.0/messages`, tenant.token)).toBe(200);
    expect(gateway.simulator.requests.at(-1)?.url).toBe("/messages");
    expect(await statusOf(`http://elsewhere.example/partner/v1/tenants`)).toBe(401);
  });

  it("carries the rest of its query on byte for byte", async () => {
    await tenant.call(
      "GET",
      `/health_status?fields=display_phone_number&phone_number_id=${tenant.phoneNumberId}&x=%2f+%20`,
    );
    expect(gateway.simulator.requests.at(-1)?.url).toBe(
      "/health_status?fields=display_phone_number&x=%2f+%20",
    );
  });

  it.each([
    ["Authorization", (token: string) => ({ authorization: `Bearer ${token}` }), ""],
    ["D360-API-KEY", (token: string) => ({ "d360-api-key": token }), ""],
    ["?access_token= on a GET", () => ({}), "access_token"],
  ])("takes its token in %s, and nothing of it goes upstream", async (_name, headersOf, query) => {
    const token = await fetchToken(gateway.url, tenant.client);
    const path = query === "" ? "/health_status" : `/health_status?${query}=${token}`;
    const answer = await gateway.call("GET", path, { headers: headersOf(token) });
    expect(answer.status).toBe(200);
    const upstream = gateway.simulator.requests.at(-1);
    expect(JSON.stringify([upstream?.url, upstream?.rawHeaders])).not.toContain(token);
  });

  it("with two different tokens is 400 multiple_credentials", async () => {
    const answer = await tenant.call("POST", "/messages", {
      body,
      headers: { "d360-api-key": await fetchToken(gateway.url, other.client) },
    });
    expect([answer.status, answer.json.code]).toEqual([400, "multiple_credentials"]);
  });

  it("that names two numbers is 400 phone_number_conflict; a foreign one is 404", async () => {
    const second = await addNumber(gateway, tenant.id);
    const path = `/v23.0/${tenant.phoneNumberId}/messages`;
    const headers = { "x-phone-number-id": second.phoneNumberId };
    const conflict = await tenant.call("POST", path, { body, headers });
    expect([conflict.status, conflict.json.code]).toEqual([400, "phone_number_conflict"]);

    const required = await tenant.call("POST", "/messages", { body });
    expect([required.status, required.json.code]).toEqual([400, "phone_number_required"]);

    const chosen = await tenant.call("POST", "/messages", { body, headers });
    expect(chosen.status).toBe(200);
    expect(gateway.simulator.requests.at(-1)?.headers["d360-api-key"]).toBe(second.apiKey);
  });

  it.each([
    ["GET", "/messages"],
    ["POST", "/v23.0/PID/register"],
    ["POST", "/v23.0/PID"],
    ["GET", "/v23.0/PID/"],
    ["GET", "/WABA"],
    ["DELETE", "/PID"],
    ["POST", "/v23.0//messages"],
    ["POST", "/%6dessages"],
    ["POST", "/x/../messages"],
    ["POST", "/"],
  ])("%s %s is 404 unknown_operation, and nothing is called", async (method, form) => {
    const before = gateway.simulator.requests.length;
    const path = form.replace("PID", tenant.phoneNumberId).replace("WABA", tenant.wabaId);
    const answer = await rawCall(gateway.url, method, path, tenant.token);
    expect(answer).toEqual([404, "unknown_operation"]);
    expect(gateway.simulator.requests.length).toBe(before);
  });

  it("without a token is 401 before it is unknown", async () => {
    const answer = await gateway.call("POST", "/no/such/thing");
    expect([answer.status, answer.json.code]).toEqual([401, "token_missing"]);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(answer.json.error).toMatchObject({ code: 190, type: "OAuthException" });
  });
});

/** Past undici's URL parser, which would tidy the path up. */
async function rawCall(url: string, method: string, path: string, token: string) {
  const { hostname, port } = new URL(url);
  const { request } = await import("node:http");
  return new Promise<[number | undefined, string]>((resolve, reject) => {
    const req = request({
      hostname,
      port,
      method,
      path,
      headers: { authorization: `Bearer ${token}` },
    });
    req.on("response", (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => resolve([res.statusCode, (JSON.parse(text) as { code: string }).code]));
    });
    req.on("error", reject);
    req.end();
  });
}
