import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const HORIZON_MS = 1500;

describe("a suspended tenant", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let receiver: Receiver;

  beforeAll(async () => {
    gateway = await startTestGateway({ env: { RETRY_SCHEDULE: "50ms", RETRY_HORIZON: "1500ms" } });
  });
  beforeEach(async () => {
    tenant = await buildTenant(gateway);
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());
  afterAll(() => gateway.stop());

  const change = async (verb: "suspend" | "resume"): Promise<void> => {
    const answer = await gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/${verb}`);
    expect(answer.status).toBe(200);
  };

  async function addEndpoint(path: string): Promise<string> {
    const answer = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: { url: `${receiver.url}${path}`, event_types: ["message.received"] },
    });
    expect(answer.status).toBe(201);
    return `/tenant/v1/webhook-endpoints/${answer.json.id as string}`;
  }

  function receiveText(text: string): void {
    const { phoneNumberId } = tenant;
    gateway.simulator.receiveMessage({ phoneNumberId, from: "15550001111", text });
  }

  async function eventsOf(): Promise<unknown[]> {
    return gateway.database.db
      .selectFrom("event")
      .select("id")
      .where("tenant_id", "=", tenant.id)
      .where("type", "=", "message.received")
      .execute();
  }

  const textsAt = (path: string): string[] =>
    receiver.received.filter(({ url }) => url === path).map(({ body }) => body.toString());

  it("is delivered nothing, and afterwards everything, however long it took", async () => {
    const endpoint = await addEndpoint("/hook");
    receiver.answer = (_received, res) => res.writeHead(500).end();
    receiveText("before");
    await eventually(() => receiver.received.length > 0);
    await change("suspend");
    const answer = await tenant.call("GET", endpoint);
    expect([answer.status, answer.json.code]).toEqual([403, "tenant_suspended"]);
    receiver.answer = (_received, res) => res.writeHead(200).end();
    receiver.received.length = 0;
    receiveText("meanwhile");
    await eventually(async () => (await eventsOf()).length === 2);
    // Past the horizon, and past the look that finds what is due.
    const resumeAt = Date.now() + HORIZON_MS + 1500;
    await eventually(() => Date.now() > resumeAt);
    // What was under way when it was suspended may still have ended.
    expect(textsAt("/hook").filter((text) => text.includes("meanwhile"))).toEqual([]);
    expect(receiver.received.length).toBeLessThanOrEqual(1);
    await change("resume");
    const texts = await eventually(() => {
      const found = textsAt("/hook");
      return found.some((text) => text.includes("meanwhile")) ? found : undefined;
    });
    await eventually(() => textsAt("/hook").some((text) => text.includes("before")));
    expect(texts.length).toBeGreaterThan(0);
    expect((await tenant.call("GET", endpoint)).json.state).toBe("active");
    const exhausted = await tenant.call("GET", "/tenant/v1/deliveries?state=exhausted");
    expect(exhausted.json.data).toEqual([]);
  });

  it("has its own pauses again when it goes on, also after a second suspension", async () => {
    const paused = await addEndpoint("/paused");
    const active = await addEndpoint("/active");
    await tenant.call("POST", `${paused}/pause`);
    await change("suspend");
    await change("suspend");
    receiveText("held by both");
    await eventually(async () => (await eventsOf()).length === 1);
    await change("resume");
    await change("resume");
    await eventually(() => textsAt("/active").length === 1);
    expect((await tenant.call("GET", paused)).json.state).toBe("paused");
    expect((await tenant.call("GET", active)).json.state).toBe("active");
    expect(textsAt("/paused")).toEqual([]);
    await tenant.call("POST", `${paused}/resume`);
    await eventually(() => textsAt("/paused").length === 1);
  });

  it("cannot end the pause itself, nor make an endpoint that is not stopped", async () => {
    const endpoint = await addEndpoint("/hook");
    await change("suspend");
    const tries = await Promise.all([
      tenant.call("POST", `${endpoint}/resume`),
      tenant.call("POST", "/tenant/v1/webhook-endpoints", {
        body: { url: `${receiver.url}/another` },
      }),
      tenant.call("POST", "/v1/configs/webhook", { body: { url: `${receiver.url}/third` } }),
    ]);
    expect(tries.map(({ status }) => status)).toEqual([403, 403, 403]);
    receiveText("nobody hears");
    await eventually(async () => (await eventsOf()).length === 1);
    await change("resume");
    await eventually(() => textsAt("/hook").length === 1);
  });
});

describe("a suspended number", () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  it("sends nothing and goes on as it was; its tenant's events come all the same", async () => {
    const tenant = await buildTenant(gateway);
    const path = `/partner/v1/numbers/${tenant.numberId}`;
    const send = () =>
      tenant.call("POST", "/messages", { body: { to: "15550001111", type: "text" } });
    expect((await gateway.partner("POST", `${path}/suspend`)).json.state).toBe("suspended");
    const before = gateway.simulator.requests.length;
    const refused = await send();
    expect([refused.status, refused.json.code]).toEqual([403, "tenant_suspended"]);
    expect(gateway.simulator.requests).toHaveLength(before);
    gateway.simulator.receiveMessage({
      phoneNumberId: tenant.phoneNumberId,
      from: "15550001111",
      text: "still heard",
    });
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/events");
      return JSON.stringify(json).includes("still heard");
    });
    expect((await gateway.partner("POST", `${path}/resume`)).json.state).toBe("running");
    await send();
    expect(gateway.simulator.requests.length).toBeGreaterThan(before);
  });
});
