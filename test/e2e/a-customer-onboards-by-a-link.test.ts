import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import { customerOf, returnTo } from "../support/onboard.ts";

type Onboarding = { channel_id: string; stage: string; number_id: string | null };

describe("a customer's channel", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let customer: ReturnType<typeof customerOf>;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
    await gateway.partner("POST", "/partner/v1/hub/webhook");
    customer = customerOf(gateway.url);
  });
  afterAll(() => gateway.stop());

  const linkOf = async (query = "") =>
    (query === ""
      ? await tenant.call("POST", "/tenant/v1/onboarding-links")
      : await gateway.partner("POST", `/partner/v1/tenants/${tenant.id}/onboarding-links${query}`)
    ).json;

  const stageOf = async (channelId: string): Promise<string | undefined> => {
    const { json } = await gateway.partner("GET", `/partner/v1/onboardings/${channelId}`);
    return (json as Partial<Onboarding>).stage;
  };
  const reaches = (channelId: string, stage: string) =>
    eventually(async () => expect(await stageOf(channelId)).toBe(stage), { withinMs: 15_000 });

  const keysMade = (channelId: string) => gateway.simulator.getChannel(channelId).keys.length;

  const typesOf = async () =>
    (
      (await tenant.call("GET", "/tenant/v1/events?type=onboarding.*&limit=200")).json.data as {
        type: string;
      }[]
    ).map(({ type }) => type);

  it("becomes a number that sends and receives, from the signup on, without a hand's turn", async () => {
    const { url, expires_at } = await linkOf();
    expect(Date.parse(expires_at)).toBeGreaterThan(Date.now());
    const page = await customer.open(url);
    const { status, code, answer } = await customer.comeBack(await customer.consent(page));
    expect([status, code]).toEqual([200, "accepted"]);
    expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
    const [channel] = gateway.simulator.listChannels().slice(-1);
    const id = channel?.id ?? "";
    await reaches(id, "created");
    gateway.simulator.changeChannel(id, { status: "ready" });
    await reaches(id, "ready");
    expect(keysMade(id)).toBe(0);
    gateway.simulator.changeChannel(id, { running: true });
    await reaches(id, "running");
    gateway.simulator.changeChannel(id, { live: true });
    await reaches(id, "live");
    expect(keysMade(id)).toBe(1);

    const { phoneNumberId, webhook } = gateway.simulator.getChannel(id).phoneNumber;
    expect(webhook?.url).toContain(`${gateway.url}/hooks/360dialog/`);
    const numbers = await gateway.partner("GET", `/partner/v1/numbers?tenant_id=${tenant.id}`);
    expect(numbers.json.data).toContainEqual(
      expect.objectContaining({
        phone_number_id: phoneNumberId,
        channel_id: id,
        state: "running",
        onboarding_stage: "live",
      }),
    );
    await eventually(async () => {
      const sent = await tenant.call("POST", `/${phoneNumberId}/messages`, {
        body: textMessage("4915112345678", "hello"),
      });
      return sent.status === 200;
    });
    await eventually(async () =>
      expect(await typesOf()).toEqual(
        expect.arrayContaining(["onboarding.created", "onboarding.running", "onboarding.live"]),
      ),
    );
    const { json } = await tenant.call("GET", "/tenant/v1/events?type=onboarding.running");
    expect(json.data[0]).toMatchObject({
      phone_number_id: phoneNumberId,
      data: { channel_id: id, stage: "running", failure: null },
    });
    const kept = await gateway.database.db
      .selectFrom("onboarding_channel")
      .select("channel_id")
      .where("api_key_sealed", "is not", null)
      .execute();
    expect(kept).toEqual([]);
  });

  it("without the permission gets no key until it is given", async () => {
    const client = gateway.simulator.createClient();
    const made = gateway.simulator.createChannel(client.id, { running: true, status: "ready" });
    await gateway.partner("POST", "/partner/v1/hub/webhook");
    const { url } = await linkOf(`?client_id=${client.id}`);
    const page = await customer.open(url);
    gateway.simulator.postPartnerEvent({ event: "channel_ready", channelId: made.id });
    await eventually(async () => (await heardOf(client.id)) > 0);
    const state = page.searchParams.get("state") ?? "";
    const back = await customer.comeBack(
      returnTo({ state, client: client.id, revoked: [made.id] }),
    );
    expect([back.status, back.code]).toEqual([200, "accepted"]);
    expect(back.answer.body.toString()).toContain("taken the permission back");
    await reaches(made.id, "permission_missing");
    expect(keysMade(made.id)).toBe(0);
    gateway.simulator.changeChannel(made.id, { permission: "shared" });
    await reaches(made.id, "running");
    expect(keysMade(made.id)).toBe(1);
  });

  async function heardOf(clientId: string): Promise<number> {
    const rows = await gateway.database.db
      .selectFrom("partner_event")
      .select("event")
      .where("hub_client_id", "=", clientId)
      .where("applied_at", "is not", null)
      .execute();
    return rows.length;
  }

  /** One that runs, of a client who came by a link. */
  async function runningChannel(): Promise<string> {
    const page = await customer.open((await linkOf()).url);
    await customer.comeBack(await customer.consent(page));
    const [channel] = gateway.simulator.listChannels().slice(-1);
    const id = channel?.id ?? "";
    gateway.simulator.changeChannel(id, { status: "ready", running: true });
    await reaches(id, "running");
    return id;
  }

  it("is restricted while Meta says so, and cancelled when 360dialog has ended it", async () => {
    const id = await runningChannel();
    gateway.simulator.postPartnerEvent({ event: "account_restriction", channelId: id });
    await reaches(id, "restricted");
    const retried = await gateway.partner("POST", `/partner/v1/onboardings/${id}/retry`);
    expect(retried.status).toBe(202);
    await reaches(id, "running");
    gateway.simulator.changeChannel(id, { fbAccountStatus: "rejected" }, { quiet: true });
    gateway.simulator.postPartnerEvent({ event: "channel_live", channelId: id });
    await reaches(id, "restricted");
    gateway.simulator.changeChannel(id, { fbAccountStatus: "verified" }, { quiet: true });
    gateway.simulator.postPartnerEvent({ event: "channel_live", channelId: id });
    await reaches(id, "running");
    gateway.simulator.changeChannel(id, { terminated: true });
    await reaches(id, "cancelled");
    const { phoneNumberId } = gateway.simulator.getChannel(id).phoneNumber;
    const number = await gateway.database.db
      .selectFrom("phone_number")
      .select(["state", "onboarding_stage"])
      .where("phone_number_id", "=", phoneNumberId)
      .executeTakeFirst();
    expect(number).toEqual({ state: "suspended", onboarding_stage: "cancelled" });
    expect(keysMade(id)).toBe(1);
  });

  it("that is deleted here stays so until somebody asks for it again", async () => {
    const id = await runningChannel();
    const { json } = await gateway.partner("GET", `/partner/v1/onboardings/${id}`);
    await gateway.partner("DELETE", `/partner/v1/numbers/${json.number_id}`);
    gateway.simulator.changeChannel(id, { live: true });
    const told = await eventually(async () => {
      const answer = await gateway.partner("GET", `/partner/v1/onboardings/${id}`);
      return answer.json.failure === null ? undefined : answer.json;
    });
    expect(told.failure.code).toBe("number_removed");
    expect(keysMade(id)).toBe(1);
    await gateway.partner("POST", `/partner/v1/onboardings/${id}/retry`);
    await reaches(id, "live");
    expect(keysMade(id)).toBe(2);
  });

  it("of a number that is here already is linked to it, and its key lives on", async () => {
    const own = gateway.simulator.getNumber(tenant.phoneNumberId);
    const { clientId } = gateway.simulator.getChannel(own.channelId).state;
    const page = await customer.open((await linkOf()).url);
    gateway.simulator.postPartnerEvent({ event: "channel_live", channelId: own.channelId });
    await eventually(async () => (await heardOf(clientId)) > 0);
    const state = page.searchParams.get("state") ?? "";
    const back = await customer.comeBack(
      returnTo({ state, client: clientId, channels: [own.channelId] }),
    );
    expect(back.code).toBe("accepted");
    await reaches(own.channelId, "live");
    expect(keysMade(own.channelId)).toBe(0);
    const number = await gateway.partner("GET", `/partner/v1/numbers/${tenant.numberId}`);
    expect(number.json).toMatchObject({ channel_id: own.channelId, state: "running" });
  });

  it("is brought in once 360dialog answers again", async () => {
    const page = await customer.open((await linkOf()).url);
    await customer.comeBack(await customer.consent(page));
    const [channel] = gateway.simulator.listChannels().slice(-1);
    const id = channel?.id ?? "";
    for (const path of ["/health_status", "/v1/configs/webhook"]) {
      gateway.simulator.failNext({ kind: "answer", status: 503, path, times: 1 });
    }
    gateway.simulator.changeChannel(id, { status: "ready", running: true });
    await reaches(id, "running");
    expect(keysMade(id)).toBe(1);
  });
});
