import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  SIMULATED_PARTNER,
  type Simulator,
  startSimulator,
} from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";
import { hubOf } from "./hub-call.ts";

const { partnerId, apiKey, username, password } = SIMULATED_PARTNER;
let simulator: Simulator;
let hub: ReturnType<typeof hubOf>;

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
  hub = hubOf(simulator.url);
});

afterAll(async () => {
  await simulator.close();
});

/** A list, with its query's objects as JSON. */
const list = (path: string, query: Record<string, string | number | object>) => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    parameters.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  return hub("GET", `${path}?${parameters.toString()}`);
};

const open = (path: string) => request(`${simulator.url}${path}`);

describe("the Partner API's login", () => {
  it("takes the partner's key, and nobody else's", async () => {
    expect((await hub("GET", "")).json).toMatchObject({ id: partnerId, webhook_url: null });
    const { apiKey: ofNumber } = simulator.createNumber();
    for (const headers of [{}, { "x-api-key": "other" }, { "x-api-key": ofNumber }]) {
      expect((await hub("GET", "", undefined, headers)).status).toBe(401);
    }
    const other = await request(`${simulator.url}/api/v2/partners/OtherPA/clients`, {
      headers: { "x-api-key": apiKey },
    });
    expect(other.statusCode).toBe(403);
    expect(await other.body.json()).toMatchObject({
      meta: { developer_message: "Permission denied for partner OtherPA" },
    });
  });

  it("gives a token for user name and password", async () => {
    const url = `${simulator.url}/api/v2/token`;
    const wrong = await call(url, { method: "POST", body: { username, password: "wrong" } });
    expect(wrong.json).toMatchObject({ error: "invalid_grant" });
    const right = await call(url, { method: "POST", body: { username, password } });
    expect(right.json).toMatchObject({ token_type: "Bearer", expires_in: 3600 });
    const bearer = { authorization: `Bearer ${String(right.json["access_token"])}` };
    expect((await hub("GET", "", undefined, bearer)).status).toBe(200);
  });
});

describe("its lists", () => {
  it("page, sort and filter, and refuse a filter that they do not know", async () => {
    const client = simulator.createClient({ id: "ListedCL", email: "ada@example.com" });
    const made = [1, 2, 3].map(() => simulator.createChannel(client.id, {}));
    simulator.changeChannel(made[0]?.id ?? "", { status: "ready" });
    const ids = made.map(({ id }) => id).toSorted();
    const filters = { client_id: client.id };

    const first = await list("/channels", { filters, limit: 2, sort: "id" });
    expect(first.json).toMatchObject({ count: 2, total: 3, limit: 2, offset: 0, filters });
    const rest = await list("/channels", { filters, limit: 2, offset: 2 });
    const idsOf = ({ json }: typeof first): string[] =>
      (json.partner_channels as { id: string }[]).map(({ id }) => id);
    expect([...idsOf(first), ...idsOf(rest)].toSorted()).toEqual(ids);
    const backwards = await list("/channels", { filters, sort: "-id" });
    const forwards = await list("/channels", { filters, sort: "id" });
    expect(idsOf(backwards)).toEqual(idsOf(forwards).toReversed());

    const byMail = { "client.contact_info.email": "ada@example.com", status: "ready" };
    expect(idsOf(await list("/channels", { filters: byMail }))).toEqual([made[0]?.id]);
    expect((await list("/channels", { filters: { colour: "red" } })).status).toBe(400);
    expect((await list("/channels", { filters: "{" })).status).toBe(400);
    expect((await list("/channels", { limit: "many" })).status).toBe(400);
    const clients = await list("/clients", { filters: { id: client.id } });
    expect(clients.json).toMatchObject({ count: 1, clients: [{ id: client.id }] });
  });
});

describe("a channel's API key", () => {
  it("is refused until the channel runs and its client shares it; a new one kills the old", async () => {
    const { id: clientId } = simulator.createClient();
    const { id, phoneNumber } = simulator.createChannel(clientId);
    const keys = `/channels/${id}/api_keys`;
    expect((await hub("POST", keys)).status).toBe(403);
    simulator.changeChannel(id, { running: true });
    expect((await hub("POST", keys)).status).toBe(403);
    simulator.changeChannel(id, { permission: "shared" });

    const first = await hub("POST", keys);
    expect(first).toMatchObject({ status: 201, json: { address: simulator.url } });
    const health = `${simulator.url}/health_status`;
    const firstKey: string = first.json.api_key;
    expect((await call(health, { apiKey: firstKey })).json["id"]).toBe(phoneNumber.phoneNumberId);
    const second = await hub("POST", keys);
    expect((await call(health, { apiKey: firstKey })).status).toBe(401);
    expect((await call(health, { apiKey: second.json.api_key })).status).toBe(200);
    expect((await hub("GET", keys)).json.api_keys).toMatchObject([{ id: second.json.id }]);
    expect(JSON.stringify((await hub("GET", keys)).json)).not.toContain(second.json.api_key);
    await hub("DELETE", keys);
    expect((await call(health, { apiKey: second.json.api_key })).status).toBe(401);
    expect((await hub("POST", "/channels/NoSuchCH/api_keys")).status).toBe(404);

    const settings = `/clients/${clientId}/channels/${id}/whatsapp_commerce_settings`;
    expect((await hub("GET", settings)).json.data[0].id).toBe(phoneNumber.phoneNumberId);
  });

  it("is to be had at once for a number that was made without a word about its channel", async () => {
    const { channelId } = simulator.createNumber();
    expect((await hub("GET", `/channels/${channelId}`)).json).toMatchObject({
      status: "ready",
      integration: { state: "running" },
    });
    expect((await hub("POST", `/channels/${channelId}/api_keys`)).status).toBe(201);
  });
});

describe("the onboarding page", () => {
  const page = `/dashboard/app/${partnerId}/permissions`;

  it("sends the browser back with what was shared and revoked, as 360dialog writes it", async () => {
    const { id: clientId } = simulator.createClient();
    const shared = simulator.createChannel(clientId);
    const other = simulator.createChannel(clientId, { permission: "shared" });
    const third = simulator.createChannel(clientId);
    const query = `client_id=${clientId}&state=a%2Bb&redirect_url=${encodeURIComponent("https://gw.example.com/return?x=1")}`;
    const shown = await (await open(`${page}?${query}`)).body.text();
    expect(shown).toContain(`value="${shared.id}"`);
    expect(shown).not.toContain("a+b</");
    const back = await open(`${page}/consent?${query}&channel=${shared.id}&channel=${third.id}`);
    expect(back.statusCode).toBe(302);
    const [first, second] = simulator
      .listChannels()
      .filter(({ client, state }) => client.id === clientId && state.permission === "shared");
    expect(back.headers["location"]).toBe(
      `https://gw.example.com/return?x=1&client=${clientId}&channels=[${first?.id},${second?.id}]&revoked=[${other.id}]&state=a%2Bb`,
    );
  });

  it("is where 360dialog's button leads too", async () => {
    const short = `/dashboard/app/${partnerId}`;
    const query = `redirect_url=${encodeURIComponent("https://gw.example.com/return")}&state=s`;
    const shown = await (await open(`${short}?${query}`)).body.text();
    expect(shown).toContain(`action="${short}/consent"`);
    const back = await open(`${short}/consent?${query}`);
    expect(back.headers["location"]).toMatch(/\?client=\w+&channels=\[\w+\]&state=s$/);
    expect((await open(`/dashboard/app/other-partner?${query}`)).statusCode).toBe(404);
  });

  it("signs a new client up, and needs to know where to send the browser", async () => {
    expect((await open(page)).statusCode).toBe(400);
    expect(
      (await open(`${page}?redirect_url=https://a.example.com&client_id=NoSuchCL`)).statusCode,
    ).toBe(404);
    await hub("PATCH", "", { partner_redirect_url: "https://gw.example.com/return" });
    const back = await open(`${page}/consent?name=Ada&number=4930123456`);
    const [, client, channel] =
      /client=(\w+)&channels=\[(\w+)\]$/.exec(String(back.headers["location"])) ?? [];
    expect(simulator.getChannel(channel ?? "")).toMatchObject({
      client: { id: client, name: "Ada" },
      state: { permission: "shared", status: "created" },
      phoneNumber: { displayPhoneNumber: "4930123456", notRunning: true },
    });
  });
});

describe("the control API of the hub", () => {
  it("makes clients and channels, changes them, posts events and repeats them", async () => {
    const control = `${simulator.url}/simulator`;
    const post = (path: string, body: object) =>
      call(`${control}${path}`, { method: "POST", body });
    const client = await post("/clients", { id: "ControlledCL", name: "Ada" });
    expect(client.status).toBe(201);
    expect((await post("/clients", { id: "ControlledCL" })).status).toBe(409);
    expect((await post("/channels", { client_id: "NoSuchCL" })).status).toBe(404);
    const channel = await post("/channels", { client_id: "ControlledCL", quality: "Low" });
    expect(channel.json).toMatchObject({ status: "created", current_quality_rating: "Low" });
    const path = `${control}/channels/${String(channel.json["id"])}`;
    const body = { status: "ready", running: true, address: "https://elsewhere.example.com" };
    const changed = await call(path, { method: "PATCH", body });
    expect(changed.json).toMatchObject({ status: "ready", integration: { state: "running" } });
    expect((await call(path, { method: "PATCH", body: { status: "odd" } })).status).toBe(400);
    expect((await call(path)).json).toEqual(changed.json);

    const before = simulator.partnerEvents.length;
    expect((await post("/partner-events", { event: "odd_event", data: { a: 1 } })).status).toBe(
      202,
    );
    const again = await post("/partner-events/replay", { order: "shuffled", times: 2 });
    expect(again.json["events"]).toHaveLength(2 * (before + 1));
    expect((await post("/partner-events/replay", { order: "odd" })).status).toBe(400);
    const shown = await call(`${control}/partner-events`);
    expect(shown.json["events"]).toHaveLength(3 * (before + 1));
  });
});
