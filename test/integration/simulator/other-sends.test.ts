import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { call, textTo } from "./call.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
});

afterAll(async () => {
  await simulator.close();
});

const templateTo = (to: string, name: string) => ({
  messaging_product: "whatsapp",
  to,
  type: "template",
  template: { name, language: { code: "en_US" } },
  message_activity_sharing: true,
});

describe("POST /marketing_messages", () => {
  it("takes a marketing template", async () => {
    const { apiKey } = simulator.createNumber();
    const { status, json } = await call(`${simulator.url}/marketing_messages`, {
      method: "POST",
      apiKey,
      body: templateTo("49170", "spring_sale"),
    });
    expect(status).toBe(200);
    expect(json["messages"]).toEqual([
      { id: expect.stringMatching(/^wamid\./), message_status: "accepted" },
    ]);
  });

  it.each([
    ["another type", textTo("49170"), 100, "Message must be a template message."],
    [
      "another category",
      templateTo("49170", "order_update"),
      131055,
      "Only marketing template messages are supported",
    ],
    ["nothing", {}, 100, undefined],
  ])("refuses %s with the error wrapped in detail", async (_name, body, code, details) => {
    const { apiKey, phoneNumberId } = simulator.createNumber();
    simulator.addTemplate(phoneNumberId, { name: "order_update", category: "UTILITY" });
    const url = `${simulator.url}/marketing_messages`;
    const { status, json } = await call(url, { method: "POST", apiKey, body });
    expect(status).toBe(400);
    expect(json).toEqual({ detail: { error: expect.objectContaining({ code }) } });
    if (details !== undefined) {
      expect(json).toMatchObject({ detail: { error: { error_data: { details } } } });
    }
  });

  it("answers a wrong key in the flat form", async () => {
    const url = `${simulator.url}/marketing_messages`;
    const { status, json } = await call(url, { method: "POST", apiKey: "wrong", body: {} });
    expect([status, json]).toEqual([401, { error: "Invalid api token." }]);
  });
});

describe("POST /messages_encrypted", () => {
  it("sends what nobody can read", async () => {
    const { apiKey } = simulator.createNumber();
    const url = `${simulator.url}/messages_encrypted`;
    const body = { messaging_product: "whatsapp", to: "49170", encrypted_contents: "e30=" };
    const { status, json } = await call(url, { method: "POST", apiKey, body });
    expect([status, json]).toMatchObject([200, { contacts: [{ wa_id: "49170" }] }]);
    const { to: _to, ...toNobody } = body;
    expect((await call(url, { method: "POST", apiKey, body: toNobody })).status).toBe(400);
  });
});

describe("faults", () => {
  it("happen on every path, by its whole or its beginning", async () => {
    const { apiKey } = simulator.createNumber();
    simulator.failNext({ kind: "answer", status: 503, path: "/groups*" });
    simulator.failNext({ kind: "answer", status: 500, path: "/media", method: "POST" });
    expect((await call(`${simulator.url}/groups/1/invite_link`, { apiKey })).status).toBe(503);
    const options = { method: "POST", apiKey, body: {} } as const;
    expect((await call(`${simulator.url}/media`, options)).status).toBe(500);
    expect(simulator.listFaults()).toEqual([]);
  });
});
