import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { lookAfterNow } from "../support/watch.ts";

describe("a webhook that 360dialog has lost", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const webhook = () => gateway.simulator.getNumber(tenant.phoneNumberId).webhook;

  async function setWebhook(body: object): Promise<void> {
    const answer = await request(`${gateway.simulator.url}/v1/configs/webhook`, {
      method: "POST",
      headers: { "d360-api-key": tenant.apiKey, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.statusCode).toBe(200);
    await answer.body.dump();
  }

  const alerts = async () =>
    (await gateway.partner("GET", `/partner/v1/alerts?tenant_id=${tenant.id}&kind=webhook_dropped`))
      .json.data as { state: string }[];

  const told = async (): Promise<string[]> => {
    const { json } = await tenant.call("GET", "/tenant/v1/events?type=alert.*");
    return (json.data as { type: string }[]).map(({ type }) => type);
  };

  it("is left alone while it is as it should be", async () => {
    const before = webhook();
    await lookAfterNow(gateway, tenant.numberId);
    expect(webhook()).toEqual(before);
    expect(await alerts()).toEqual([]);
  });

  it("is set again, told once and cleared, and what users write comes again", async () => {
    await setWebhook({ url: `${gateway.simulator.url}/elsewhere` });
    await lookAfterNow(gateway, tenant.numberId);
    expect(webhook()?.url).toMatch(new RegExp(`^${gateway.url}/hooks/360dialog/`));
    expect(await alerts()).toMatchObject([{ state: "cleared" }]);
    // Readers see an event once no older transaction is open.
    expect(await eventually(async () => (await told()).length > 1 && told())).toEqual([
      "alert.raised",
      "alert.cleared",
    ]);

    gateway.simulator.receiveMessage({
      phoneNumberId: tenant.phoneNumberId,
      from: "15550001111",
      text: "Hello",
    });
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/events?type=message.received");
      return (json.data as unknown[]).length === 1;
    });
  });

  it("is set again when only its secret header is missing", async () => {
    const url = webhook()?.url;
    await setWebhook({ url });
    await lookAfterNow(gateway, tenant.numberId);
    expect(webhook()?.url).not.toBe(url);
    expect(Object.keys(webhook()?.headers ?? {})).toHaveLength(1);
    expect(await alerts()).toHaveLength(2);
  });

  it("stays an alert while it cannot be set, and is set at the next look", async () => {
    await setWebhook({ url: `${gateway.simulator.url}/elsewhere` });
    gateway.simulator.failNext({
      kind: "answer",
      status: 400,
      method: "POST",
      path: "/v1/configs/webhook",
      body: { meta: { success: false, http_code: 400, developer_message: "Not now" } },
    });
    await lookAfterNow(gateway, tenant.numberId);
    expect((await alerts())[0]).toMatchObject({ state: "open" });
    await lookAfterNow(gateway, tenant.numberId);
    expect((await alerts())[0]).toMatchObject({ state: "cleared" });
    expect(webhook()?.url).toContain("/hooks/360dialog/");
  });

  it("is not looked at while the number is suspended", async () => {
    await gateway.partner("POST", `/partner/v1/numbers/${tenant.numberId}/suspend`);
    const before = gateway.simulator.requests.length;
    await lookAfterNow(gateway, tenant.numberId);
    expect(gateway.simulator.requests.length).toBe(before);
  });
});
