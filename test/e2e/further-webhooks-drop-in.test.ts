import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { startReceiver } from "../support/receiver.ts";

const destination = (name: string, path = name) => ({
  name,
  url: `https://receiver.example.com/${path}`,
});

describe("a program written for 360dialog", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  beforeEach(async () => {
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  it("sets a WABA's webhook, which is an endpoint for all numbers of it", async () => {
    const receiver = await startReceiver();
    const set = await tenant.call("POST", "/waba_webhook", {
      body: { url: `${receiver.url}/waba`, headers: { k: "v" }, override_all: false },
    });
    expect([set.status, set.json]).toEqual([
      200,
      { url: `${receiver.url}/waba`, headers: { k: "v" } },
    ]);
    const { json } = await tenant.call("GET", "/tenant/v1/webhook-endpoints");
    expect(json.data).toMatchObject([
      { managed_by: "drop_in", waba_ids: [tenant.wabaId], phone_number_ids: null },
    ]);
    gateway.simulator.receiveMessage({ phoneNumberId: tenant.phoneNumberId, from: "1", text: "x" });
    await eventually(() => receiver.received.length === 1);
    await receiver.close();
  });

  it("cannot set a WABA's webhook with a token that is limited to some numbers", async () => {
    const made = await gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/clients`, {
      phone_number_ids: [tenant.phoneNumberId],
    });
    const token = await fetchToken(gateway.url, {
      id: made.json.client_id,
      secret: made.json.client_secret,
    });
    const answer = await gateway.call("POST", "/waba_webhook", {
      token,
      body: { url: "https://receiver.example.com/x" },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.meta.details).toEqual([expect.stringMatching(/^whole_account: /)]);
  });

  it("sets further webhooks of a number by name, adds to them and changes one", async () => {
    expect((await tenant.call("GET", "/multi_webhook")).json).toEqual({
      enabled: false,
      destinations: [],
    });
    const started = { message: "Operation started successfully" };
    const set = await tenant.call("POST", "/multi_webhook", {
      body: { enabled: true, destinations: [{ ...destination("crm"), headers: { k: "v" } }] },
    });
    expect([set.status, set.json]).toEqual([200, started]);
    await tenant.call("PUT", "/multi_webhook", { body: { destinations: [destination("bi")] } });
    const changed = await tenant.call("PATCH", "/multi_webhook", {
      body: destination("crm", "crm2"),
    });
    expect(changed.json).toEqual(started);
    expect((await tenant.call("GET", "/multi_webhook")).json).toEqual({
      enabled: true,
      destinations: [
        { ...destination("crm", "crm2"), headers: { k: "***" } },
        { ...destination("bi"), headers: {} },
      ],
    });
  });

  it("replaces the whole list, and switches it off and on", async () => {
    await tenant.call("POST", "/multi_webhook", {
      body: { enabled: true, destinations: [destination("a"), destination("b")] },
    });
    await tenant.call("POST", "/multi_webhook", {
      body: { enabled: true, destinations: [destination("b"), destination("B", "c")] },
    });
    const states = async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/webhook-endpoints");
      return (json.data as { url: string; state: string }[]).map(
        ({ url, state }) => `${url.split("/").at(-1)} ${state}`,
      );
    };
    expect(await states()).toEqual(["b active", "c active"]);
    await tenant.call("POST", "/multi_webhook", { body: { enabled: false } });
    expect(await states()).toEqual(["b paused", "c paused"]);
    const refused = await tenant.call("PUT", "/multi_webhook", {
      body: { destinations: [destination("d")] },
    });
    expect(refused.status).toBe(409);
    const unchanged = await tenant.call("PATCH", "/multi_webhook", { body: destination("b", "x") });
    expect(unchanged.status).toBe(409);
    expect(await states()).toEqual(["b paused", "c paused"]);
    await tenant.call("POST", "/multi_webhook", { body: { enabled: true } });
    expect(await states()).toEqual(["b active", "c active"]);
  });

  it.each([
    ["a name twice", { enabled: true, destinations: [destination("a"), destination("a", "b")] }],
    ["no name", { enabled: true, destinations: [{ url: "https://receiver.example.com/x" }] }],
    ["a NUL in a name", { enabled: true, destinations: [destination("a\0b", "x")] }],
    ["a bad URL", { enabled: true, destinations: [{ name: "a", url: "http://x_y:1/" }] }],
    ["no list", { enabled: true, destinations: "a" }],
    ["no object", []],
    ["a word for the switch", { enabled: "yes" }],
  ])("is told 400 in 360dialog's form of %s, and nothing is set", async (_name, body) => {
    const answer = await tenant.call("POST", "/multi_webhook", { body });
    expect([answer.status, answer.json.meta.success]).toEqual([400, false]);
    expect((await tenant.call("GET", "/multi_webhook")).json.destinations).toEqual([]);
  });

  it("keeps the webhooks of two numbers, and a name that is not there is 404", async () => {
    const second = await addNumber(gateway, tenant.id);
    const body = { enabled: true, destinations: [destination("crm")] };
    await tenant.call("POST", `/${second.phoneNumberId}/multi_webhook`, { body });
    const first = await tenant.call("GET", `/${tenant.phoneNumberId}/multi_webhook`);
    expect(first.json.destinations).toEqual([]);
    const missing = await tenant.call("PATCH", `/${tenant.phoneNumberId}/multi_webhook`, {
      body: destination("crm"),
    });
    expect(missing.status).toBe(404);
  });
});
