import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import { fetchToken } from "../support/call.ts";

describe("what belongs to another tenant", () => {
  let gateway: TestGateway;
  let owner: TestTenant;
  let stranger: TestTenant;
  let foreign: Record<string, string>;

  beforeAll(async () => {
    gateway = await startTestGateway();
    owner = await buildTenant(gateway, { name: "Owner" });
    stranger = await buildTenant(gateway, { name: "Stranger" });
    const endpoint = await owner.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: "https://receiver.example.com/hook" },
    });
    await owner.call("POST", "/messages", { body: textMessage("15550001111", "x") });
    const delivery = await eventually(async () => {
      const { json } = await owner.call("GET", "/tenant/v1/deliveries");
      return json.data[0] as { id: string; event_id: string } | undefined;
    });
    foreign = {
      endpoint_id: endpoint.json.id,
      event_id: delivery.event_id,
      delivery_id: delivery.id,
      phone_number_id: owner.phoneNumberId,
    };
  });
  afterAll(() => gateway.stop());

  it.each([
    ["GET", "/tenant/v1/numbers/{phone_number_id}"],
    ["GET", "/tenant/v1/webhook-endpoints/{endpoint_id}"],
    ["DELETE", "/tenant/v1/webhook-endpoints/{endpoint_id}"],
    ["GET", "/tenant/v1/events/{event_id}"],
    ["GET", "/tenant/v1/deliveries/{delivery_id}"],
    ["POST", "/v23.0/{phone_number_id}/messages"],
    ["POST", "/messages?phone_number_id={phone_number_id}"],
    ["GET", "/{phone_number_id}/health_status"],
    ["GET", "/{phone_number_id}/v1/configs/webhook"],
    ["POST", "/{phone_number_id}/v1/configs/webhook"],
  ])("answers byte for byte like what does not exist: %s %s", async (method, template) => {
    const calls = gateway.simulator.requests.length;
    const ask = async (token: string, fill: (name: string) => string) => {
      const path = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => fill(name));
      const answer = await gateway.call(method, path, {
        token,
        headers: { "x-request-id": "same" },
        ...(method === "POST" && { body: { url: "https://a.example.com/x" } }),
      });
      return { status: answer.status, body: answer.body.toString() };
    };
    const asForeign = await ask(stranger.token, (name) => foreign[name] ?? "");
    const asMissing = await ask(stranger.token, (name) =>
      (foreign[name] ?? "").replace(/.{4}$/, "0000"),
    );
    const asMalformed = await ask(stranger.token, (name) =>
      name === "phone_number_id" ? "99" : "nonsense",
    );
    expect(asForeign.status).toBe(404);
    expect(asForeign).toEqual(asMissing);
    expect(asForeign).toEqual(asMalformed);
    expect(gateway.simulator.requests.length).toBe(calls);
  });

  it.each([
    ["GET", "/tenant/v1/events/%00", 404],
    ["GET", "/tenant/v1/deliveries/%00", 404],
    ["DELETE", "/tenant/v1/webhook-endpoints/%00", 404],
    ["GET", "/tenant/v1/numbers/%E0%A4%A", 404],
    ["GET", "/tenant/v1/events?type=%00", 400],
    ["GET", "/tenant/v1/events?from=2016-12-31T23:59:60Z", 400],
    ["GET", "/tenant/v1/deliveries?cursor=WyJ4IiwieSIsInoiXQ", 400],
  ])("and what is malformed is told from neither: %s %s is %i", async (method, path, status) => {
    expect((await stranger.call(method, path)).status).toBe(status);
  });

  it("is in none of the lists", async () => {
    for (const list of ["numbers", "webhook-endpoints", "events", "deliveries"]) {
      const { json } = await stranger.call("GET", `/tenant/v1/${list}`);
      expect(JSON.stringify(json)).not.toContain(owner.phoneNumberId);
      expect(list === "numbers" ? json.data.length : json.data).toEqual(
        list === "numbers" ? 1 : [],
      );
    }
  });

  it("and a number outside a limited token, answer alike on every tenant route", async () => {
    const second = await addNumber(gateway, owner.id);
    const made = await gateway.partner("POST", `/partner/v1/tenants/${owner.id}/clients`, {
      phone_number_ids: [second.phoneNumberId],
    });
    const token = await fetchToken(gateway.url, {
      id: made.json.client_id,
      secret: made.json.client_secret,
    });
    const status = async (method: string, path: string, body?: object) =>
      (await gateway.call(method, path, { token, ...(body && { body }) })).status;
    expect(await status("GET", `/tenant/v1/numbers/${owner.phoneNumberId}`)).toBe(404);
    expect(await status("GET", `/tenant/v1/numbers/${second.phoneNumberId}`)).toBe(200);
    expect(await status("GET", `/tenant/v1/webhook-endpoints/${foreign["endpoint_id"]}`)).toBe(404);
    expect(await status("GET", `/tenant/v1/events/${foreign["event_id"]}`)).toBe(404);
    expect(await status("GET", `/tenant/v1/deliveries/${foreign["delivery_id"]}`)).toBe(404);
    expect(await status("GET", `/${owner.phoneNumberId}/health_status`)).toBe(404);
    for (const list of ["numbers", "webhook-endpoints", "events", "deliveries"]) {
      const { json } = await gateway.call("GET", `/tenant/v1/${list}`, { token });
      const seen = list === "numbers" ? [second.phoneNumberId] : [];
      expect(json.data.map((row: Record<string, string>) => row["phone_number_id"])).toEqual(seen);
    }
    // The token's only number is the one that is meant when none is named.
    expect(await status("GET", "/health_status")).toBe(200);
    expect(gateway.simulator.requests.at(-1)?.headers["d360-api-key"]).toBe(second.apiKey);
    const whole = await gateway.call("POST", "/tenant/v1/webhook-endpoints", {
      token,
      body: { url: "https://other.example.com/hook" },
    });
    expect([whole.status, whole.json.errors[0].pointer]).toEqual([422, "/phone_number_ids"]);
  });

  it("cannot be reached with a partner's token on tenant routes, nor the reverse", async () => {
    const asPartner = await gateway.partner("GET", "/tenant/v1/numbers");
    expect([asPartner.status, asPartner.json.code]).toEqual([403, "wrong_audience"]);
    const asTenant = await owner.call("GET", "/partner/v1/tenants");
    expect([asTenant.status, asTenant.json.code]).toEqual([403, "wrong_audience"]);
    const sending = await gateway.partner("POST", "/messages", textMessage("1", "x"));
    expect([sending.status, sending.json.code]).toEqual([403, "wrong_audience"]);
  });
});
