import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

describe("a number that the partner brings in", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const add = (fields: object) =>
    gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/numbers`, fields);

  it("is running, its key shown only by its last four characters, its hook registered with a secret", async () => {
    const made = gateway.simulator.createNumber();
    const answer = await add({ phone_number_id: made.phoneNumberId, api_key: made.apiKey });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      phone_number_id: made.phoneNumberId,
      waba_id: made.wabaId,
      state: "running",
      key_last4: made.apiKey.slice(-4),
      tenant_id: tenant.id,
    });
    const { webhook } = gateway.simulator.getNumber(made.phoneNumberId);
    expect(webhook?.url).toMatch(new RegExp(`^${gateway.url}/hooks/360dialog/[\\w-]{43}$`));
    expect(Object.keys(webhook?.headers ?? {}).join()).not.toMatch(/[_:]/);
  });

  it("is refused with a key that 360dialog does not take, of another number, or none; nothing is kept", async () => {
    const [one, two] = [gateway.simulator.createNumber(), gateway.simulator.createNumber()];
    const bad = await add({ phone_number_id: one.phoneNumberId, api_key: "wrong-key-wrong-key" });
    expect([bad.status, bad.json.errors[0].code]).toEqual([422, "api_key_rejected"]);
    const other = await add({ phone_number_id: one.phoneNumberId, api_key: two.apiKey });
    expect([other.status, other.json.code]).toEqual([422, "key_number_mismatch"]);
    const none = await add({ phone_number_id: one.phoneNumberId });
    expect([none.status, none.json.code]).toEqual([422, "api_key_required"]);
    const { json } = await gateway.partner("GET", "/partner/v1/numbers");
    expect(JSON.stringify(json)).not.toContain(one.phoneNumberId);
    expect(gateway.simulator.getNumber(one.phoneNumberId).webhook).toBeUndefined();
  });

  it("is refused as a whole when its hook cannot be registered", async () => {
    const made = gateway.simulator.createNumber();
    gateway.simulator.failNext({
      kind: "answer",
      status: 500,
      path: "/v1/configs/webhook",
      times: 1,
    });
    const wish = { phone_number_id: made.phoneNumberId, api_key: made.apiKey };
    const failed = await add(wish);
    expect([failed.status, failed.json.code]).toEqual([502, "upstream_unreachable"]);
    expect((await add(wish)).status).toBe(201);
  });

  it("that is taken, or of an origin that the operator has not allowed, is a named conflict", async () => {
    const taken = await add({ phone_number_id: tenant.phoneNumberId, api_key: tenant.apiKey });
    expect([taken.status, taken.json.code]).toEqual([409, "number_taken"]);
    const made = gateway.simulator.createNumber();
    const away = await add({
      phone_number_id: made.phoneNumberId,
      api_key: made.apiKey,
      base_url: "https://evil.example.com",
    });
    expect([away.status, away.json.errors[0].pointer]).toEqual([422, "/base_url"]);
  });

  it("and its tenant answer unknown members and wrong types with a pointer to each", async () => {
    const answer = await add({ phone_number_id: 1, colour: "red" });
    expect(answer.status).toBe(422);
    const pointers = answer.json.errors.map((error: { pointer: string }) => error.pointer);
    expect(pointers.toSorted()).toEqual(["/colour", "/phone_number_id"]);
    const notJson = await gateway.call("POST", "/partner/v1/tenants", { body: "{" });
    expect(notJson.status).toBe(401);
  });

  it("gets a new hook on demand; what still comes over the old one is taken", async () => {
    const old = gateway.simulator.getNumber(tenant.phoneNumberId).webhook;
    const rotated = await gateway.partner(
      "POST",
      `/partner/v1/numbers/${tenant.numberId}/hook/rotate`,
    );
    expect(rotated.status).toBe(200);
    const now = gateway.simulator.getNumber(tenant.phoneNumberId).webhook;
    expect(now?.url).not.toBe(old?.url);
    for (const hook of [old, now]) {
      const path = (hook?.url ?? "").slice(gateway.url.length);
      const answer = await gateway.call("POST", path, { headers: hook?.headers ?? {}, body: "{}" });
      expect(answer.status).toBe(200);
    }
  });

  it("is suspended, resumed and deleted", async () => {
    const own = await buildTenant(gateway, { name: "Leaving" });
    const path = `/partner/v1/numbers/${own.numberId}`;
    const health = async () => (await own.call("GET", "/health_status")).status;
    expect(await health()).toBe(200);
    expect((await gateway.partner("POST", `${path}/suspend`)).json.state).toBe("suspended");
    expect(await health()).toBe(403);
    expect((await gateway.partner("POST", `${path}/resume`)).json.state).toBe("running");
    expect(await health()).toBe(200);
    expect((await gateway.partner("DELETE", path)).status).toBe(204);
    expect((await gateway.partner("GET", path)).status).toBe(404);
    await eventually(async () => (await health()) === 404);
  });
});

describe("a hook", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const post = (path: string, headers: Record<string, string>, body: string | Buffer) =>
    gateway.call("POST", path, { headers, body });

  it("answers 404 to a wrong token, a wrong secret and a missing one, alike", async () => {
    const hook = gateway.simulator.getNumber(tenant.phoneNumberId).webhook;
    const path = (hook?.url ?? "").slice(gateway.url.length);
    const [name = ""] = Object.keys(hook?.headers ?? {});
    const id = { "x-request-id": "same" };
    const answers = [
      await post(path, { ...id, [name]: "wrong" }, "{}"),
      await post(path, id, "{}"),
      await post(`${path.slice(0, -3)}abc`, { ...id, ...hook?.headers }, "{}"),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
    expect((await tenant.call("GET", "/tenant/v1/events")).json.data).toEqual([]);
  });

  it("of a deleted tenant, and of a deleted number, takes nothing more", async () => {
    for (const remove of ["tenant", "number"]) {
      const gone = await buildTenant(gateway, { name: "Gone" });
      const hook = gateway.simulator.getNumber(gone.phoneNumberId).webhook;
      const path = (hook?.url ?? "").slice(gateway.url.length);
      const headers = hook?.headers ?? {};
      expect((await post(path, headers, "{}")).status).toBe(200);
      const what = remove === "tenant" ? `tenants/${gone.id}` : `numbers/${gone.numberId}`;
      expect((await gateway.partner("DELETE", `/partner/v1/${what}`)).status).toBe(204);
      expect((await post(path, headers, "{}")).status).toBe(404);
    }
  });

  it("whose registration got no answer works all the same, and so does the one before", async () => {
    const own = await buildTenant(gateway, { name: "Unlucky" });
    const old = gateway.simulator.getNumber(own.phoneNumberId).webhook;
    gateway.simulator.failNext({
      kind: "reset_before_headers",
      path: "/v1/configs/webhook",
      afterHandling: true,
    });
    const path = `/partner/v1/numbers/${own.numberId}/hook/rotate`;
    expect((await gateway.partner("POST", path)).status).toBe(502);
    const now = gateway.simulator.getNumber(own.phoneNumberId).webhook;
    expect(now?.url).not.toBe(old?.url);
    for (const hook of [old, now]) {
      const hookPath = (hook?.url ?? "").slice(gateway.url.length);
      expect((await post(hookPath, hook?.headers ?? {}, "{}")).status).toBe(200);
    }
  });

  it("keeps what is not JSON as one event, and refuses more than 4 MiB", async () => {
    const hook = gateway.simulator.getNumber(tenant.phoneNumberId).webhook;
    const path = (hook?.url ?? "").slice(gateway.url.length);
    const headers = hook?.headers ?? {};
    expect((await post(path, headers, Buffer.from([0, 255, 1]))).status).toBe(200);
    expect((await post(path, headers, Buffer.alloc(4 * 1024 * 1024 + 1))).status).toBe(413);
    const events = await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/events");
      return json.data.length > 0 && json.data;
    });
    expect(events).toMatchObject([
      {
        type: "unknown.notification",
        phone_number_id: tenant.phoneNumberId,
        data: { body_base64: "AP8B" },
      },
    ]);
  });

  it("yields events for its own number only; what names another is kept without an owner", async () => {
    const other = await buildTenant(gateway, { name: "Other" });
    const hook = gateway.simulator.getNumber(tenant.phoneNumberId).webhook;
    const path = (hook?.url ?? "").slice(gateway.url.length);
    const value = {
      metadata: { phone_number_id: other.phoneNumberId },
      messages: [{ id: "wamid.FOREIGN", from: "1", type: "text" }],
    };
    const entry = [{ id: other.wabaId, changes: [{ field: "messages", value }] }];
    const answer = await post(path, hook?.headers ?? {}, JSON.stringify({ entry }));
    expect(answer.status).toBe(200);
    const kept = await gateway.database.db
      .selectFrom("event")
      .select(["tenant_id", "phone_number_id"])
      .where("type", "=", "message.received")
      .execute();
    expect(kept).toEqual([{ tenant_id: "", phone_number_id: other.phoneNumberId }]);
    expect((await other.call("GET", "/tenant/v1/events")).json.data).toEqual([]);
  });
});
