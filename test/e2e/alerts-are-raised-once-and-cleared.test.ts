import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { lookAfterNow } from "../support/watch.ts";

type Alert = { kind: string; state: string; count: number; detail: string };

const ILL = {
  health_status: {
    can_send_message: "BLOCKED",
    entities: [
      {
        entity_type: "WABA",
        id: "1",
        can_send_message: "BLOCKED",
        errors: [{ error_code: 141006, error_description: "There is no payment method" }],
      },
    ],
  },
};

describe("an alert", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const look = () => lookAfterNow(gateway, tenant.numberId);
  const alerts = async (search: string): Promise<Alert[]> =>
    (await gateway.partner("GET", `/partner/v1/alerts?${search}`)).json.data as Alert[];
  /** Readers see an event once no older transaction is open. */
  const told = (type: string, atLeast: number): Promise<unknown[]> =>
    eventually(async () => {
      const { json } = await tenant.call("GET", `/tenant/v1/events?type=${type}`);
      const events = json.data as unknown[];
      return events.length >= atLeast && events;
    });

  function beIll(): void {
    gateway.simulator.failNext({
      kind: "answer",
      status: 200,
      path: "/health_status",
      method: "GET",
      body: ILL,
    });
  }

  it("of a blocked number is raised once, with the reason, and cleared when it is well", async () => {
    beIll();
    await look();
    beIll();
    await look();
    const [alert, ...others] = await alerts("state=open&kind=health");
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ tenant_id: tenant.id, number_id: tenant.numberId, count: 2 });
    expect(alert?.detail).toContain("WABA is BLOCKED: There is no payment method");
    expect(await told("alert.raised", 1)).toHaveLength(1);
    await look();
    expect(await alerts("state=open")).toEqual([]);
    expect(await alerts("state=cleared&kind=health")).toHaveLength(1);
    expect(await told("alert.cleared", 1)).toHaveLength(1);
  });

  it("is told when quality or limit change, and only then", async () => {
    const { channelId } = gateway.simulator.getNumber(tenant.phoneNumberId);
    await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, {
      channel_id: channelId,
    });
    // What was not known is learnt, and is no change.
    await look();
    gateway.simulator.changeChannel(channelId, { quality: "Low" }, { quiet: true });
    await look();
    await look();
    const number = await gateway.partner("GET", `/partner/v1/numbers/${tenant.numberId}`);
    expect(number.json.quality).toBe("RED");
    expect(await told("number.*", 1)).toHaveLength(1);
    expect(await alerts("state=open")).toEqual([]);
    gateway.simulator.changeChannel(channelId, { terminated: true }, { quiet: true });
    await look();
    expect(await alerts("state=open")).toMatchObject([{ kind: "channel_gone" }]);
    gateway.simulator.changeChannel(channelId, { terminated: false }, { quiet: true });
    await look();
    expect(await alerts("state=open")).toEqual([]);
  });

  it("is one for 360dialog as a whole when it cannot be reached, not one for each number", async () => {
    const others = [await addNumber(gateway, tenant.id), await addNumber(gateway, tenant.id)];
    const [second, third] = others.map(({ numberId }) => numberId);
    gateway.simulator.failNext({
      kind: "answer",
      status: 503,
      path: "/v1/configs/webhook",
      method: "GET",
      times: 3,
    });
    await look();
    expect(await alerts("state=open")).toEqual([]);
    await lookAfterNow(gateway, second ?? "");
    await lookAfterNow(gateway, third ?? "");
    expect(await alerts("state=open")).toMatchObject([
      { kind: "dialog360_unreachable", tenant_id: null, number_id: null },
    ]);
  });
});

describe("a key that 360dialog refuses", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  it("is noticed without a call, alerted once, not asked again, and over with a new key", async () => {
    const path = `/partner/v1/numbers/${tenant.numberId}`;
    const open = async () =>
      (await gateway.partner("GET", "/partner/v1/alerts?state=open")).json.data as Alert[];
    const apiKey = gateway.simulator.rotateKey(tenant.phoneNumberId);
    await lookAfterNow(gateway, tenant.numberId);
    expect((await gateway.partner("GET", path)).json.state).toBe("key_rejected");
    expect(await open()).toMatchObject([{ kind: "key_rejected" }]);

    const before = gateway.simulator.requests.length;
    await lookAfterNow(gateway, tenant.numberId);
    expect(gateway.simulator.requests.length).toBe(before);
    expect(await open()).toHaveLength(1);

    await gateway.partner("POST", `${path}/api-key`, { api_key: apiKey });
    await lookAfterNow(gateway, tenant.numberId);
    expect(await open()).toEqual([]);
  });
});
