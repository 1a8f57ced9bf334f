import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../src/ids.ts";
import { fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const DIGITS = "15550001111000000000001";

describe("a message", () => {
  let gateway: TestGateway;
  let owner: TestTenant;
  let stranger: TestTenant;
  let receiver: Receiver;
  let wamid: string;
  let id: string;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statusDelayMs: 100 } });
    owner = await buildTenant(gateway, { name: "Owner" });
    stranger = await buildTenant(gateway, { name: "Stranger" });
    receiver = await startReceiver();
    await owner.call("POST", "/tenant/v1/webhook-endpoints", { body: { url: receiver.url } });
    // A number of more digits than a double holds is shown as it was sent.
    const message = { ...textMessage("15550001111", "x"), note: DIGITS };
    const answer = await owner.call("POST", "/messages", {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message).replace(`"${DIGITS}"`, DIGITS),
    });
    wamid = answer.json.messages[0].id as string;
    id = String(answer.headers["gateway-message-id"]);
  });
  afterAll(async () => {
    await receiver.close();
    await gateway.stop();
  });

  it("shows what was sent and answered, its statuses and their deliveries", async () => {
    const { text, json } = await eventually(async () => {
      const found = await owner.call("GET", `/tenant/v1/messages/${id}`);
      if (found.status === 404) {
        return undefined; // its row is written behind the answer
      }
      const { status, deliveries } = found.json as { status: string; deliveries: Delivery[] };
      const all = deliveries.length === 3 && deliveries.every(({ state }) => state === "delivered");
      return status === "read" && all && { text: found.body.toString(), json: found.json };
    });
    expect(json).toMatchObject({
      id,
      wamid,
      phone_number_id: owner.phoneNumberId,
      client_id: owner.client.id,
      recipient: "15550001111",
      state: "accepted",
      answer: { status: 200, body: { messages: [{ id: wamid }] } },
    });
    const statuses = json.statuses as { status: string; event_id: string }[];
    expect(statuses.map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
    expect((json.deliveries as Delivery[]).map(({ event_id }) => event_id)).toEqual(
      statuses.map(({ event_id }) => event_id),
    );
    expect(text).toContain(`"note":${DIGITS}`);
  });

  it("is found by its wamid, percent-encoded", async () => {
    const { json } = await owner.call("GET", `/tenant/v1/messages/${encodeURIComponent(wamid)}`);
    expect(json.id).toBe(id);
  });

  it("is in the list, with how far it has come", async () => {
    const { json } = await owner.call("GET", "/tenant/v1/messages?recipient=%2B1-555-000-1111");
    expect(json).toMatchObject({ data: [{ id, status: "read" }], next_cursor: null });
    expect((await owner.call("GET", "/tenant/v1/messages?state=unknown")).json.data).toEqual([]);
    expect((await owner.call("GET", "/tenant/v1/messages?state=nonsense")).status).toBe(400);
  });

  it("answers another tenant, and a token for another number, like a missing one", async () => {
    const second = await addNumber(gateway, owner.id);
    const made = await gateway.partner("POST", `/partner/v1/tenants/${owner.id}/clients`, {
      phone_number_ids: [second.phoneNumberId],
    });
    const limited = await fetchToken(gateway.url, {
      id: made.json.client_id,
      secret: made.json.client_secret,
    });
    const ask = async (token: string, path: string) => {
      const headers = { "x-request-id": "same" };
      const { status, body } = await gateway.call("GET", path, { token, headers });
      return `${status} ${body.toString()}`;
    };
    const missing = await ask(stranger.token, `/tenant/v1/messages/${newId("msg")}`);
    expect(missing).toMatch(/^404 /);
    for (const token of [stranger.token, limited]) {
      for (const mine of [id, encodeURIComponent(wamid), "nonsense"]) {
        expect(await ask(token, `/tenant/v1/messages/${mine}`)).toBe(missing);
      }
      expect(await ask(token, "/tenant/v1/messages")).toBe('200 {"data":[],"next_cursor":null}');
    }
  });

  it("needs the scope messages:read", async () => {
    const { token } = await buildTenant(gateway, { scopes: ["messages:send"] });
    const answer = await gateway.call("GET", "/tenant/v1/messages", { token });
    expect([answer.status, answer.json.code]).toEqual([403, "insufficient_scope"]);
  });
});

type Delivery = { event_id: string; state: string };
