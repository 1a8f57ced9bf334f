import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  META_ACCESS_TOKEN,
  type Simulator,
  startSimulator,
} from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";
import { eventually } from "./eventually.ts";
import { startReceiver } from "./receiver.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
});

afterAll(async () => {
  await simulator.close();
});

const components = [{ type: "BODY", text: "Hello {{1}}" }];
const template = { name: "order_update", language: "de", category: "UTILITY", components };

function numberWithTemplates(...names: string[]) {
  const number = simulator.createNumber();
  for (const name of names) {
    simulator.addTemplate(number.phoneNumberId, { name });
  }
  return number;
}

const namesIn = (rows: unknown) => (rows as { name: string }[]).map(({ name }) => name);

type Paging = { cursors: { before: string; after: string }; next?: string; previous?: string };

describe("/message_templates", () => {
  it("makes, lists and deletes a template, for every number of the WABA", async () => {
    const { apiKey, wabaId } = simulator.createNumber();
    const sibling = simulator.createNumber({ wabaId });
    const url = `${simulator.url}/message_templates`;
    const made = await call(url, { method: "POST", apiKey, body: template });
    expect([made.status, made.json]).toEqual([
      200,
      { id: expect.stringMatching(/^\d+$/), status: "PENDING", category: "UTILITY" },
    ]);
    expect(made.headers).toHaveProperty("x-fb-trace-id");
    const { json } = await call(url, sibling);
    expect(json["data"]).toMatchObject([{ ...template, id: made.json["id"], status: "PENDING" }]);
    const gone = { method: "DELETE", apiKey } as const;
    expect((await call(`${url}?name=${template.name}`, gone)).json).toEqual({ success: true });
    expect((await call(url, { apiKey })).json).toEqual({ data: [] });
    expect((await call(`${url}?name=${template.name}`, gone)).status).toBe(400);
  });

  it("deletes one language by its id", async () => {
    const { apiKey, phoneNumberId } = simulator.createNumber();
    const de = simulator.addTemplate(phoneNumberId, { name: "hi", language: "de" });
    simulator.addTemplate(phoneNumberId, { name: "hi", language: "en" });
    const url = `${simulator.url}/message_templates?name=hi`;
    await call(`${url}&hsm_id=${de.externalId}`, { method: "DELETE", apiKey });
    expect((await call(url, { apiKey })).json["data"]).toMatchObject([{ language: "en" }]);
  });

  it("leads through its pages with Meta's links, which carry Meta's token", async () => {
    const { apiKey, wabaId } = numberWithTemplates("a", "b", "c", "d", "e");
    const url = `${simulator.url}/message_templates`;
    const first = await call(`${url}?limit=2&fields=name`, { apiKey });
    expect(first.json["data"]).toEqual([
      { name: "a", id: expect.any(String) },
      { name: "b", id: expect.any(String) },
    ]);
    const { cursors, next = "", previous } = first.json["paging"] as Paging;
    expect(previous).toBeUndefined();
    expect(first.text).toContain(String.raw`"https:\/\/graph.facebook.com\/v19.0\/`);
    expect(new URL(next).pathname).toBe(`/v19.0/${wabaId}/message_templates`);
    expect([...new URL(next).searchParams]).toEqual([
      ["access_token", META_ACCESS_TOKEN],
      ["limit", "2"],
      ["fields", "name"],
      ["after", cursors.after],
    ]);
    const third = await call(`${url}?limit=4&after=${cursors.after}`, { apiKey });
    expect(namesIn(third.json["data"])).toEqual(["c", "d", "e"]);
    const last = third.json["paging"] as Paging;
    expect(last.next).toBeUndefined();
    const back = await call(`${url}?limit=2&before=${last.cursors.before}`, { apiKey });
    expect(namesIn(back.json["data"])).toEqual(["a", "b"]);
    expect((await call(`${url}?after=elsewhere`, { apiKey })).json["error"]).toMatchObject({
      code: 131059,
    });
  });

  it.each([
    ["a name with capitals", { ...template, name: "Order" }, "name must"],
    ["no language", { ...template, language: undefined }, "language is required"],
    ["another category", { ...template, category: "NEWS" }, "category must be one of"],
    ["no components", { ...template, components: [] }, "components must"],
  ])("refuses %s", async (_name, body, details) => {
    const { apiKey } = simulator.createNumber();
    for (const path of ["/message_templates", "/v1/configs/templates"]) {
      const { status, text } = await call(simulator.url + path, { method: "POST", apiKey, body });
      expect([status, text]).toEqual([400, expect.stringContaining(details)]);
    }
  });
});

describe("/v1/configs/templates", () => {
  it("makes, lists and deletes a template in 360dialog's form", async () => {
    const { apiKey } = simulator.createNumber();
    const url = `${simulator.url}/v1/configs/templates`;
    const made = await call(url, { method: "POST", apiKey, body: template });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      ...template,
      id: expect.stringMatching(/^\w{20}WT$/),
      status: "submitted",
      rejected_reason: null,
    });
    expect(made.headers).not.toHaveProperty("x-fb-trace-id");
    const again = await call(url, { method: "POST", apiKey, body: template });
    expect([again.status, again.text]).toEqual([400, expect.stringContaining("already in use")]);
    const { json } = await call(url, { apiKey });
    expect(json).toMatchObject({ count: 1, total: 1, limit: 1000, offset: 0, sort: ["id"] });
    expect(json["waba_templates"]).toMatchObject([
      { ...template, id: made.json["id"], status: "pending", external_id: expect.any(String) },
    ]);
    const gone = await call(`${url}/${template.name}`, { method: "DELETE", apiKey });
    expect([gone.status, gone.json]).toEqual([
      200,
      {
        meta: {
          developer_message: "template name=order_update was deleted",
          http_code: 200,
          success: true,
        },
      },
    ]);
    expect((await call(`${url}/${template.name}`, { method: "DELETE", apiKey })).status).toBe(404);
  });

  it("filters, sorts and cuts", async () => {
    const { apiKey } = numberWithTemplates("b", "c", "a");
    const url = `${simulator.url}/v1/configs/templates`;
    const filters = encodeURIComponent('{"business_templates.name":"c"}');
    const found = await call(`${url}?filters=${filters}`, { apiKey });
    expect(namesIn(found.json["waba_templates"])).toEqual(["c"]);
    const cut = await call(`${url}?sort=-business_templates.name&limit=1&offset=1`, { apiKey });
    expect(namesIn(cut.json["waba_templates"])).toEqual(["b"]);
    expect(cut.json).toMatchObject({ count: 1, total: 3 });
    expect((await call(`${url}?filters={'name':1}`, { apiKey })).status).toBe(400);
  });
});

describe("GET /message_templates_library", () => {
  it("searches, and pages", async () => {
    const { apiKey } = simulator.createNumber();
    const url = `${simulator.url}/message_templates_library`;
    const { json } = await call(`${url}?search=reminder&limit=1`, { apiKey });
    expect(json["data"]).toMatchObject([{ name: "payment_reminder", category: "UTILITY" }]);
    expect(json["paging"]).toHaveProperty("next");
  });
});

describe("setTemplateStatus", () => {
  it("tells the number's webhook, and decides whether the template can be sent", async () => {
    const receiver = await startReceiver();
    const { apiKey, phoneNumberId, wabaId } = numberWithTemplates("hi");
    const webhook = { url: receiver.url };
    await call(`${simulator.url}/v1/configs/webhook`, { method: "POST", apiKey, body: webhook });
    const change = { method: "PATCH", body: { status: "PAUSED", reason: "quality" } } as const;
    const control = `${simulator.url}/simulator/numbers/${phoneNumberId}/templates`;
    expect((await call(`${control}/hi`, change)).status).toBe(202);
    expect((await call(`${control}/other`, change)).status).toBe(404);
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const [paused] = simulator.listTemplates(phoneNumberId);
    expect(JSON.parse(receiver.received[0]?.text ?? "")).toEqual({
      object: "whatsapp_business_account",
      entry: [
        {
          id: wabaId,
          time: expect.any(Number),
          changes: [
            {
              field: "message_template_status_update",
              value: {
                event: "PAUSED",
                message_template_id: Number(paused?.externalId),
                message_template_name: "hi",
                message_template_language: "en_US",
                message_template_category: "MARKETING",
                reason: "quality",
              },
            },
          ],
        },
      ],
    });
    const send = (name: string) =>
      call(`${simulator.url}/messages`, {
        method: "POST",
        apiKey,
        body: {
          messaging_product: "whatsapp",
          to: "49170",
          type: "template",
          template: { name, language: { code: "en_US" } },
        },
      });
    expect((await send("hi")).json["error"]).toMatchObject({ code: 132015 });
    expect((await send("nobody_made_this")).status).toBe(200);
    await receiver.close();
  });

  it("can be written over HTTP", async () => {
    const { phoneNumberId } = simulator.createNumber();
    const control = `${simulator.url}/simulator/numbers/${phoneNumberId}/templates`;
    const body = { name: "hi", status: "REJECTED" };
    expect((await call(control, { method: "POST", body })).status).toBe(201);
    expect((await call(control, { method: "POST", body })).status).toBe(409);
    const wrong = { name: "hi", status: "FINE" };
    expect((await call(control, { method: "POST", body: wrong })).status).toBe(400);
    expect((await call(control)).json["templates"]).toMatchObject([
      { name: "hi", status: "REJECTED", category: "MARKETING" },
    ]);
  });
});
