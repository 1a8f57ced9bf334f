import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUpstream, type Upstream } from "../../../src/dialog360/exchange.ts";
import { createPartnerApi, type PartnerApi } from "../../../src/dialog360/partner.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { Secret } from "../../../src/secret.ts";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";

let simulator: Simulator;
let upstream: Upstream;
let partnerApi: PartnerApi;

const accountWith = (apiKey: string) => ({
  url: `${simulator.url}/api/v2`,
  partnerId: simulator.partner.partnerId,
  apiKey: new Secret(apiKey),
});

beforeAll(async () => {
  simulator = await startSimulator({ statuses: [] });
  upstream = createUpstream({ metrics: createMetrics(), timeoutMs: 1000 });
  partnerApi = createPartnerApi(upstream, accountWith(simulator.partner.apiKey));
});

afterAll(async () => {
  await upstream.close();
  await simulator.close();
});

describe("the Partner API's client", () => {
  it("pages through clients and channels, all or one client's", async () => {
    const [ada, bob] = [simulator.createClient({ name: "Ada" }), simulator.createClient()];
    const channel = simulator.createChannel(ada.id, {
      displayPhoneNumber: "+49 30 123",
      wabaId: "77",
    });
    simulator.createChannel(bob.id);
    expect(await partnerApi.listClients({ limit: 1, offset: 0 })).toMatchObject({
      kind: "ok",
      value: { total: 2, rows: [{ id: expect.any(String) as string }] },
    });
    expect(await partnerApi.listChannels({ limit: 9, offset: 0 })).toMatchObject({
      value: { total: 2 },
    });
    const page = await partnerApi.listChannels({ limit: 9, offset: 0, clientId: ada.id });
    const shown = {
      id: channel.id,
      hubClientId: ada.id,
      clientName: "Ada",
      status: "created",
      running: false,
      live: false,
      terminated: false,
      rejected: false,
      displayPhoneNumber: "4930123",
      wabaId: "77",
      quality: "GREEN",
      messagingLimit: "TIER_1K",
    };
    expect(page).toEqual({ kind: "ok", value: { total: 1, rows: [shown] } });
    expect(await partnerApi.findChannel(channel.id)).toEqual({ kind: "ok", value: shown });
    expect(await partnerApi.findChannel("../NoSuchCH")).toEqual({ kind: "ok", value: undefined });
  });

  it("makes a key where it may, and says why where it may not", async () => {
    const { id } = simulator.createChannel(simulator.createClient().id);
    expect(await partnerApi.createKey(id)).toEqual({
      kind: "refused",
      status: 403,
      detail: `Permission denied for partner ${simulator.partner.partnerId}`,
    });
    simulator.changeChannel(id, { running: true, permission: "shared" });
    const made = await partnerApi.createKey(id);
    expect(made).toMatchObject({ kind: "ok", value: { baseUrl: simulator.url } });
    expect(made.kind === "ok" && made.value.apiKey.reveal()).toBe(
      simulator.getChannel(id).phoneNumber.apiKey,
    );
    const path = "/api/v2/*";
    simulator.failNext({ kind: "reset_before_headers", afterHandling: true, path });
    expect(await partnerApi.createKey(id)).toMatchObject({ kind: "unreachable" });
    simulator.failNext({ kind: "answer", status: 201, body: {}, path });
    expect(await partnerApi.createKey(id)).toMatchObject({ kind: "unreachable" });
    const stranger = createPartnerApi(upstream, accountWith("other"));
    expect(await stranger.createKey(id)).toEqual({ kind: "key_rejected" });
  });

  it("sets and reads the partner's webhook", async () => {
    expect(await partnerApi.findWebhook()).toEqual({ kind: "ok", value: null });
    expect(await partnerApi.setWebhook("https://gw.example.com/hooks/1")).toMatchObject({
      kind: "ok",
    });
    expect(await partnerApi.findWebhook()).toMatchObject({
      value: "https://gw.example.com/hooks/1",
    });
    expect(await partnerApi.setWebhook("http://gw.example.com")).toMatchObject({
      kind: "refused",
      status: 400,
    });
  });
});
