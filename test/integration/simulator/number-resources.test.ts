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

type Options = Parameters<typeof call>[1];

/** Calls for one number of its own. */
function caller() {
  const number = simulator.createNumber();
  const on = (method: NonNullable<Options>["method"] & string, path: string, body?: unknown) =>
    call(simulator.url + path, { method, apiKey: number.apiKey, ...(body ? { body } : {}) });
  return { ...number, on };
}

const product = { messaging_product: "whatsapp" };

describe("a number's settings", () => {
  it.each([
    ["/whatsapp_business_profile", { about: "Open" }, { data: [{ ...product, about: "Open" }] }],
    [
      "/whatsapp_commerce_settings",
      { is_catalog_visible: true },
      { data: [{ is_cart_enabled: true, is_catalog_visible: true }] },
    ],
    [
      "/whatsapp_business_encryption",
      { business_public_key: "PEM" },
      { data: [{ business_public_key: "PEM", business_public_key_signature_status: "VALID" }] },
    ],
    [
      "/business_compliance_info",
      { ...product, entity_name: "Acme" },
      { data: [{ entity_name: "Acme" }] },
    ],
    [
      "/conversational_automation",
      { enable_welcome_message: true },
      { conversational_automation: { enable_welcome_message: true, commands: [] } },
    ],
    ["/settings", { calling: { status: "ENABLED" } }, { calling: { status: "ENABLED" } }],
  ])("%s is what it was set to, for this number only", async (path, change, expected) => {
    const { on } = caller();
    const before = await on("GET", path);
    expect(before.headers).toHaveProperty("x-fb-trace-id");
    const set = await on("POST", path, change);
    expect([set.status, set.json]).toEqual([200, { success: true }]);
    expect((await on("GET", path)).json).toMatchObject(expected);
    expect((await caller().on("GET", path)).json).not.toMatchObject(expected);
    expect((await on("POST", path)).status).toBe(400);
  });

  it("of calling are a part of all settings, and are changed member by member", async () => {
    const { on } = caller();
    await on("POST", "/calling/settings", { calling: { status: "ENABLED" } });
    expect((await on("GET", "/settings")).json).toMatchObject({
      calling: { status: "ENABLED", call_icon_visibility: "DEFAULT" },
    });
  });

  it("show only the fields that are asked for, and a photo by its URL", async () => {
    const { on } = caller();
    await on("POST", "/whatsapp_business_profile", { ...product, profile_picture_handle: "2:abc" });
    const { json } = await on("GET", "/whatsapp_business_profile?fields=profile_picture_url");
    expect(json).toEqual({
      data: [{ ...product, profile_picture_url: expect.stringContaining("https://") }],
    });
  });

  it("are taken from the query and from forms as well", async () => {
    const { on, apiKey } = caller();
    await on("POST", "/whatsapp_commerce_settings?is_cart_enabled=false");
    await fetch(`${simulator.url}/whatsapp_business_encryption`, {
      method: "POST",
      headers: { "D360-API-KEY": apiKey },
      body: new URLSearchParams({ business_public_key: "PEM" }),
    });
    const form = new FormData();
    form.append("about", "In a form");
    await fetch(`${simulator.url}/whatsapp_business_profile`, {
      method: "POST",
      headers: { "D360-API-KEY": apiKey },
      body: form,
    });
    expect((await on("GET", "/whatsapp_commerce_settings")).text).toContain("false");
    expect((await on("GET", "/whatsapp_business_encryption")).text).toContain("PEM");
    expect((await on("GET", "/whatsapp_business_profile")).text).toContain("In a form");
  });
});

describe("/block_users", () => {
  it("blocks, lists and frees, also with a body in DELETE", async () => {
    const { on } = caller();
    const users = { ...product, block_users: [{ user: "+49 170" }, { user: "US.1234" }] };
    expect((await on("POST", "/block_users", users)).json).toEqual({
      ...product,
      block_users: {
        added_users: [
          { input: "+49 170", wa_id: "49170" },
          { input: "US.1234", wa_id: "US.1234" },
        ],
      },
    });
    const page = await on("GET", "/block_users?limit=1");
    expect(page.json).toMatchObject({
      data: [{ ...product, wa_id: "49170" }],
      paging: { next: expect.stringContaining("block_users") },
    });
    const freed = await on("DELETE", "/block_users", {
      ...product,
      block_users: [{ user: "49170" }],
    });
    expect(freed.json).toMatchObject({ block_users: { removed_users: [{ wa_id: "49170" }] } });
    expect((await on("GET", "/block_users")).json["data"]).toEqual([
      { ...product, wa_id: "US.1234" },
    ]);
    expect((await on("POST", "/block_users", product)).status).toBe(400);
  });
});

describe("/message_qrdls", () => {
  it("makes, changes, lists and deletes codes", async () => {
    const { on } = caller();
    const wanted = { prefilled_message: "Hi", generate_qr_image: "PNG" };
    const made = await on("POST", "/message_qrdls", wanted);
    const code = String(made.json["code"]);
    expect(made.json).toEqual({
      code,
      prefilled_message: "Hi",
      deep_link_url: `https://wa.me/message/${code}`,
      qr_image_url: expect.stringMatching(/\.png$/),
    });
    await on("POST", `/message_qrdls/${code}`, { prefilled_message: "Hello" });
    expect((await on("GET", `/message_qrdls/${code}`)).json).toMatchObject({
      data: [{ code, prefilled_message: "Hello" }],
    });
    expect((await on("GET", "/message_qrdls")).json["data"]).toHaveLength(1);
    expect((await on("DELETE", `/message_qrdls/${code}`)).json).toEqual({ success: true });
    expect((await on("DELETE", `/message_qrdls/${code}`)).status).toBe(400);
    const long = { prefilled_message: "x".repeat(141) };
    expect((await on("POST", "/message_qrdls", long)).status).toBe(400);
    const unknown = { code: "NONE", prefilled_message: "Hi" };
    expect((await on("POST", "/message_qrdls", unknown)).status).toBe(400);
  });
});

describe("what belongs to a WABA", () => {
  it("is listed after it was made", async () => {
    const { on, wabaId } = caller();
    const flow = await on("POST", "/flows", { name: "Booking", categories: ["SIGN_UP"] });
    expect(flow.json).toEqual({ id: expect.stringMatching(/^\d+$/), success: true });
    const sibling = simulator.createNumber({ wabaId });
    expect((await call(`${simulator.url}/flows`, sibling)).json["data"]).toEqual([
      {
        id: flow.json["id"],
        name: "Booking",
        status: "DRAFT",
        categories: ["SIGN_UP"],
        validation_errors: [],
      },
    ]);
    expect((await on("POST", "/flows", {})).status).toBe(400);
    await on("POST", "/schedules", { schedule: { days: ["MONDAY"] } });
    expect((await on("GET", "/schedules")).json["data"]).toMatchObject([
      { schedule: { days: ["MONDAY"] } },
    ]);
    const numbers = (await on("GET", "/phone_numbers")).json["data"];
    expect(numbers).toMatchObject([{ quality_rating: "GREEN" }, { id: sibling.phoneNumberId }]);
  });
});

describe("calls", () => {
  it("get an id when they are made, and keep it", async () => {
    const { on } = caller();
    const session = { sdp_type: "offer", sdp: "v=0" };
    const made = await on("POST", "/calling/calls", { to: "49170", action: "connect", session });
    const calls = [{ id: expect.stringMatching(/^wacid\./) }];
    expect(made.json).toEqual({ ...product, success: true, calls });
    const [{ id }] = made.json["calls"] as [{ id: string }];
    const end = { action: "terminate", call_id: id };
    expect((await on("POST", "/calling/calls", end)).json["calls"]).toEqual([{ id }]);
    for (const body of [{ action: "ring" }, { action: "accept" }, { action: "connect", to: "1" }]) {
      expect((await on("POST", "/calling/calls", body)).status).toBe(400);
    }
  });

  it("are allowed by everybody", async () => {
    const { json } = await caller().on("GET", "/calling/permissions/49170");
    expect(json).toMatchObject({
      permission: { status: "temporary", expiration_time: expect.any(Number) },
      actions: [{}, { action_name: "start_call", can_perform_action: true }],
    });
  });
});

describe("older ways to ask how a number is", () => {
  it("work, and are 360dialog's own", async () => {
    const { on, displayPhoneNumber } = caller();
    const health = await on("GET", "/v1/health");
    expect(health.json).toEqual({ health: { gateway_status: "connected" } });
    expect(health.headers).not.toHaveProperty("x-fb-trace-id");
    const { json } = await on("GET", "/v1/configs/phone_number");
    expect(json).toEqual({ phone_number: displayPhoneNumber });
  });
});
