import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answer, fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const PATH = "/tenant/v1/webhook-endpoints";

let gateway: TestGateway;
let tenant: TestTenant;
let receiver: Receiver;
beforeAll(async () => {
  gateway = await startTestGateway({ simulator: { statuses: [] } });
});
beforeEach(async () => {
  tenant = await buildTenant(gateway);
  receiver = await startReceiver();
  return () => receiver.close();
});
afterAll(() => gateway.stop());

const codes = (answer: Answer): string[] =>
  (answer.json.errors as { code: string }[]).map(({ code }) => code);

async function create(body: object): Promise<Answer> {
  const answer = await tenant.call("POST", PATH, { body });
  expect(answer.status).toBe(201);
  return answer;
}

const change = (id: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  tenant.call("PATCH", `${PATH}/${id}`, { body, headers });

const receive = (text: string): void => {
  gateway.simulator.receiveMessage({
    phoneNumberId: tenant.phoneNumberId,
    from: "15550001111",
    text,
  });
};

describe("an endpoint", () => {
  it("is made with an order and a rate, and tells them", async () => {
    const url = "https://a.example.com/1";
    const made = await create({ url, ordering: "conversation", rate_per_second: 3 });
    expect(made.json).toMatchObject({ ordering: "conversation", rate_per_second: 3 });
    const plain = await create({ url: "https://a.example.com/2" });
    expect(plain.json).toMatchObject({ ordering: "none", rate_per_second: null });
    for (const wrong of [
      { rate_per_second: 0 },
      { rate_per_second: 1.5 },
      { ordering: "strict" },
    ]) {
      const answer = await tenant.call("POST", PATH, { body: { url, ...wrong } });
      expect([answer.status, answer.json.code]).toEqual([422, "invalid_request"]);
    }
  });

  it("may have each field changed, and what is left out stays", async () => {
    const { json: made } = await create({
      url: "https://a.example.com/1",
      description: "first",
      headers: { "X-A": "1" },
      event_types: ["message.*"],
      rate_per_second: 5,
    });
    const { secret: _secret, ...shown } = made;
    expect((await change(made.id, {})).json).toEqual(shown);
    const wish = {
      url: "https://a.example.com/2",
      description: null,
      event_types: ["message.received"],
      phone_number_ids: [tenant.phoneNumberId],
      waba_ids: [tenant.wabaId],
      format: "event",
      timeout_seconds: 3,
      max_in_flight: 4,
      ordering: "conversation",
      rate_per_second: null,
    };
    const changed = await change(made.id, { ...wish, headers: { "X-B": "2" } });
    expect([changed.status, changed.json]).toEqual([
      200,
      { ...shown, ...wish, header_names: ["X-B"] },
    ]);
    const back = await change(made.id, { event_types: null, phone_number_ids: null });
    expect(back.json).toEqual({ ...changed.json, event_types: null, phone_number_ids: null });
    expect((await tenant.call("GET", `${PATH}/${made.id}`)).json).toEqual(back.json);
  });

  it("gets what comes after the change as the change says", async () => {
    const other = await startReceiver();
    const { json } = await create({ url: receiver.url, headers: { "X-A": "1" } });
    receive("before");
    await eventually(() => receiver.received.length === 1);
    await change(json.id, { url: other.url, headers: { "X-B": "2" }, format: "event" });
    receive("after");
    const [got] = await eventually(() => other.received.length === 1 && other.received);
    expect(got?.headers).toMatchObject({ "x-b": "2" });
    expect(got?.headers["x-a"]).toBeUndefined();
    expect(JSON.parse(got?.body.toString() ?? "")).toMatchObject({ type: "message.received" });
    await change(json.id, { event_types: ["call.*"] });
    receive("not wanted");
    await change(json.id, { event_types: ["message.*"] });
    receive("wanted again");
    await eventually(() => other.received.length === 2);
    expect(other.received[1]?.body.toString()).toContain("wanted again");
    await other.close();
  });

  it("is changed under the same rules as it is made, all broken ones named", async () => {
    const { json } = await create({ url: "https://a.example.com/1" });
    await create({ url: "https://a.example.com/2", phone_number_ids: [tenant.phoneNumberId] });
    const broken = await change(json.id, {
      url: "http://a_b.example.com:80/#x",
      headers: { "webhook-id": "1" },
      phone_number_ids: ["1"],
    });
    expect(broken.status).toBe(422);
    expect(codes(broken)).toEqual([
      "url_not_https",
      "url_host_underscore",
      "url_port",
      "url_fragment",
      "header_invalid",
      "unknown_number",
    ]);
    const same = await change(json.id, { url: "https://a.example.com/2" });
    expect(codes(same)).toEqual(["url_duplicate"]);
    const own = await change(json.id, { url: "https://a.example.com/1" });
    expect(own.status).toBe(200);
    const unknown = await change(json.id, { state: "active" });
    expect([unknown.status, unknown.json.errors[0].pointer]).toEqual([422, "/state"]);
    const nothing = await change(json.id, { url: null });
    expect([nothing.status, nothing.json.errors[0].pointer]).toEqual([422, "/url"]);
    expect((await tenant.call("GET", `${PATH}/${json.id}`)).json.url).toBe(
      "https://a.example.com/1",
    );
  });

  it("may not be widened with a token that is limited to some numbers", async () => {
    const second = await addNumber(gateway, tenant.id);
    const client = await gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/clients`, {
      phone_number_ids: [second.phoneNumberId],
    });
    const token = await fetchToken(gateway.url, {
      id: client.json.client_id,
      secret: client.json.client_secret,
    });
    const url = "https://a.example.com/1";
    const foreign = await create({
      url: "https://a.example.com/2",
      phone_number_ids: [tenant.phoneNumberId],
    });
    const own = await create({ url, phone_number_ids: [second.phoneNumberId] });
    const limited = (id: string, body: object): Promise<Answer> =>
      gateway.call("PATCH", `${PATH}/${id}`, { token, body });
    expect((await limited(foreign.json.id, { description: "x" })).status).toBe(404);
    expect((await limited(own.json.id, { description: "x" })).status).toBe(200);
    expect(codes(await limited(own.json.id, { phone_number_ids: null }))).toEqual([
      "whole_account",
    ]);
    const both = [tenant.phoneNumberId, second.phoneNumberId];
    expect(codes(await limited(own.json.id, { phone_number_ids: both }))).toEqual([
      "unknown_number",
    ]);
  });

  it("of the drop-in settings keeps its number and its form of proof", async () => {
    await tenant.call("POST", "/v1/configs/webhook", { body: { url: "https://a.example.com/1" } });
    const { json } = await tenant.call("GET", PATH);
    const [{ id }] = json.data;
    const refused = await change(id, { phone_number_ids: null, verify_token: "x" });
    expect(codes(refused)).toEqual(["managed_by_drop_in", "managed_by_drop_in"]);
    expect((await change(id, { description: "mine", max_in_flight: 2 })).status).toBe(200);
  });
});

describe("a version of an endpoint", () => {
  it("is told with it, and only that one is changed", async () => {
    const made = await create({ url: "https://a.example.com/1" });
    const { id } = made.json;
    const first = String(made.headers["etag"]);
    expect((await tenant.call("GET", `${PATH}/${id}`)).headers["etag"]).toBe(first);
    const changed = await change(id, { headers: { "X-A": "1" } }, { "if-match": first });
    const second = String(changed.headers["etag"]);
    expect([changed.status, second === first]).toEqual([200, false]);
    // A value that is never shown makes another version too.
    const hidden = await change(id, { headers: { "X-A": "2" } }, { "if-match": `"x", ${second}` });
    expect(hidden.headers["etag"]).not.toBe(second);
    const late = await change(id, { description: "late" }, { "if-match": second });
    expect([late.status, late.json.code]).toEqual([412, "etag_mismatch"]);
    expect(late.headers["etag"]).toBe(hidden.headers["etag"]);
    const weak = { "if-match": `W/${String(hidden.headers["etag"])}` };
    expect((await change(id, { description: "weak" }, weak)).status).toBe(412);
    const nonsense = await change(id, { description: "x" }, { "if-match": "abc" });
    expect([nonsense.status, nonsense.json.code]).toEqual([400, "invalid_parameter"]);
    const remove = (ifMatch: string): Promise<Answer> =>
      tenant.call("DELETE", `${PATH}/${id}`, { headers: { "if-match": ifMatch } });
    expect((await remove(first)).status).toBe(412);
    expect((await change(id, { description: "any" }, { "if-match": "*" })).status).toBe(200);
    expect((await remove("*")).status).toBe(204);
    expect((await remove("*")).status).toBe(404);
  });

  it("is changed by one of many callers who name it at once", async () => {
    const made = await create({ url: "https://a.example.com/1" });
    const ifMatch = { "if-match": String(made.headers["etag"]) };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        change(made.json.id, { headers: { "X-A": String(n) } }, ifMatch),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(7);
  });

  it("is not another one because the endpoint was paused or held", async () => {
    const made = await create({ url: "https://a.example.com/1" });
    await gateway.database.db
      .updateTable("webhook_endpoint")
      .set({ state: "held", failure_count: 12, stopped_at: new Date() })
      .where("id", "=", made.json.id)
      .execute();
    const ifMatch = { "if-match": String(made.headers["etag"]) };
    const kept = await change(made.json.id, { description: "x" }, ifMatch);
    expect([kept.status, kept.json.state]).toEqual([200, "held"]);
    // Another URL is another chance.
    const moved = await change(made.json.id, { url: "https://a.example.com/2" });
    expect(moved.json.state).toBe("active");
  });
});
