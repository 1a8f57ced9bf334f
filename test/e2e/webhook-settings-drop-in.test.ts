import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { startReceiver } from "../support/receiver.ts";

/** A 360dialog client sets its webhook as it always did, and never learns that it is ours. */
describe("/v1/configs/webhook", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const path = "/v1/configs/webhook";

  it("is 404 until it is set, then gives what was set, and is not forwarded", async () => {
    const receiver = await startReceiver();
    expect((await tenant.call("GET", path)).status).toBe(404);
    const calls = gateway.simulator.requests.length;
    const settings = { url: `${receiver.url}/hook`, headers: { Authorization: "Basic abc" } };
    const set = await tenant.call("POST", path, { body: settings });
    expect([set.status, set.json]).toEqual([200, settings]);
    const got = await tenant.call("GET", path);
    expect(got.json.url).toBe(settings.url);
    expect(Object.keys(got.json.headers)).toEqual(["Authorization"]);
    expect(got.body.toString()).not.toContain("abc");
    expect(gateway.simulator.requests.length).toBe(calls);

    gateway.simulator.receiveMessage({ phoneNumberId: tenant.phoneNumberId, from: "1", text: "x" });
    await eventually(() => receiver.received.length === 1);
    expect(receiver.received[0]?.headers.authorization).toBe("Basic abc");
    expect(receiver.received[0]?.headers["x-hub-signature-256"]).toMatch(/^sha256=/);
    await receiver.close();
  });

  it("is the number's one endpoint: setting it again replaces URL and headers", async () => {
    await tenant.call("POST", path, { body: { url: "https://a.example.com/1" } });
    await tenant.call("POST", path, { body: { url: "https://a.example.com/2" } });
    const { json } = await tenant.call("GET", "/tenant/v1/webhook-endpoints");
    expect(json.data).toMatchObject([
      {
        url: "https://a.example.com/2",
        managed_by: "drop_in",
        phone_number_ids: [tenant.phoneNumberId],
        header_names: [],
      },
    ]);
  });

  it("set again brings a disabled endpoint back, with what was held for it", async () => {
    const receiver = await startReceiver();
    receiver.answer = (_received, res) => res.writeHead(410).end();
    const headers = { "X-Key": "kept-value" };
    await tenant.call("POST", path, { body: { url: receiver.url, headers } });
    gateway.simulator.receiveMessage({ phoneNumberId: tenant.phoneNumberId, from: "1", text: "x" });
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/webhook-endpoints");
      return json.data[0].state === "disabled";
    });
    receiver.answer = (_received, res) => res.writeHead(200).end();
    const got = await tenant.call("GET", path);
    expect(got.json.headers).toEqual({ "X-Key": "***" });
    await tenant.call("POST", path, { body: got.json });
    await eventually(() => receiver.received.length >= 2);
    // What was read back hidden, and posted so, is what it was.
    expect(receiver.received.at(-1)?.headers["x-key"]).toBe("kept-value");
    await receiver.close();
  });

  it.each([
    [
      "a URL that 360dialog would refuse",
      { url: "https://your_hook.example.com:3000/x" },
      /url_host_underscore.*url_port/s,
    ],
    ["no URL", { headers: {} }, /url_invalid/],
    [
      "headers that may not be set",
      { url: "https://a.example.com", headers: { "webhook-id": "1" } },
      /header_invalid/,
    ],
  ])("answers 400 in 360dialog's form to %s", async (_name, body, codes) => {
    const answer = await tenant.call("POST", path, { body });
    expect(answer.status).toBe(400);
    expect(answer.json.meta).toMatchObject({ success: false, http_code: 400 });
    expect(answer.json.meta.details.join("\n")).toMatch(codes);
  });
});

describe("an endpoint's URL", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway({ env: { ALLOW_PRIVATE_ENDPOINTS: "" } });
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const add = (body: object) => tenant.call("POST", "/tenant/v1/webhook-endpoints", { body });

  it.each([
    ["http://a.example.com/x", ["url_not_https"]],
    ["https://a_b.example.com/x", ["url_host_underscore"]],
    ["https://a.example.com:443/x", ["url_port"]],
    ["https://u:p@a.example.com/x#f", ["url_credentials", "url_fragment"]],
    ["https://127.0.0.1/x", ["url_host_not_public"]],
    ["https://2130706433/x", ["url_host_not_public"]],
    ["https://localhost/x", ["url_host_not_public"]],
    ["https://waba-v2.360dialog.io/x", ["url_host_own"]],
    ["no url", ["url_invalid"]],
    [`https://a.example.com/${"x".repeat(2048)}`, ["url_too_long"]],
  ])("%s breaks %j", async (url, codes) => {
    const answer = await add({ url });
    expect([answer.status, answer.json.code]).toEqual([422, "invalid_request"]);
    expect(answer.json.errors.map((error: { code: string }) => error.code)).toEqual(codes);
  });

  it("with `_` and `:` in its path and a punycode host is taken, once for a number", async () => {
    const url = "https://xn--bcher-kva.example.com/a_b:80?c_d=1:2";
    expect((await add({ url })).status).toBe(201);
    const again = await add({ url, phone_number_ids: [tenant.phoneNumberId] });
    expect(again.json.errors[0].code).toBe("url_duplicate");
  });

  it("may be listed page by page, each once, also while others are added", async () => {
    const ids = new Set<string>();
    for (let n = 0; n < 5; n++) {
      ids.add((await add({ url: `https://a.example.com/page/${n}` })).json.id);
    }
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query = cursor === "" ? "" : `&cursor=${cursor}`;
      const { json } = await tenant.call("GET", `/tenant/v1/webhook-endpoints?limit=2${query}`);
      seen.push(...json.data.map((row: { id: string }) => row.id));
      cursor = json.next_cursor as string | null;
    }
    expect(seen.length).toBe(6);
    expect(new Set(seen).size).toBe(6);
    const wrong = await tenant.call("GET", "/tenant/v1/webhook-endpoints?cursor=x");
    expect([wrong.status, wrong.json.code]).toEqual([400, "invalid_parameter"]);
    const limit = await tenant.call("GET", "/tenant/v1/webhook-endpoints?limit=0");
    expect([limit.status, limit.json.code]).toEqual([400, "invalid_parameter"]);
  });
});
