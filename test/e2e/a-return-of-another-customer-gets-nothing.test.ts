import { sql } from "kysely";
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

const linkOf = async (tenant: TestTenant) =>
  (await tenant.call("POST", "/tenant/v1/onboarding-links")).json;

describe("a return", () => {
  let gateway: TestGateway;
  let owner: TestTenant;
  let thief: TestTenant;
  let customer: ReturnType<typeof customerOf>;
  let ownersClient: string;
  let ownersChannel: string;

  beforeAll(async () => {
    gateway = await startTestGateway();
    owner = await buildTenant(gateway, { name: "Owner" });
    thief = await buildTenant(gateway, { name: "Thief" });
    await gateway.partner("POST", "/partner/v1/hub/webhook");
    customer = customerOf(gateway.url);
    const page = await customer.open((await linkOf(owner)).url);
    const location = await customer.consent(page);
    expect((await customer.comeBack(location)).code).toBe("accepted");
    const [channel] = gateway.simulator.listChannels().slice(-1);
    ownersChannel = channel?.id ?? "";
    ownersClient = channel?.client.id ?? "";
    gateway.simulator.changeChannel(ownersChannel, { status: "ready", running: true });
    await eventually(async () => expect(await stageOf(ownersChannel)).toBe("running"));
  });
  afterAll(() => gateway.stop());

  const stageOf = async (channelId: string): Promise<string | undefined> =>
    (await gateway.partner("GET", `/partner/v1/onboardings/${channelId}`)).json.stage;

  /** The state of a link that was just opened, as the tenant's own browser knows it. */
  async function openedState(tenant: TestTenant): Promise<string> {
    const page = await customer.open((await linkOf(tenant)).url);
    return page.searchParams.get("state") ?? "";
  }

  const hubCalls = (): string[] =>
    gateway.simulator.requests
      .filter(({ method }) => method === "POST")
      .map(({ url }) => url)
      .filter((url) => url.includes("/api_keys"));

  async function auditOf(code: string): Promise<number> {
    const { rows } = await sql<{ n: string }>`select count(*) as n from audit_entry
      where operation = 'completeOnboarding' and after::text like ${`%${code}%`}`.execute(
      gateway.database.db,
    );
    return Number(rows[0]?.n);
  }

  async function expectOwnerUnharmed(): Promise<void> {
    const { phoneNumberId } = gateway.simulator.getChannel(ownersChannel).phoneNumber;
    await eventually(async () => {
      const sent = await owner.call("POST", `/${phoneNumberId}/messages`, {
        body: textMessage("4915112345678", "still mine"),
      });
      return sent.status === 200;
    });
    const numbers = await thief.call("GET", "/tenant/v1/numbers");
    expect(numbers.json.data).toHaveLength(1);
  }

  it("with a client that is another tenant's gets 409, no key is made, and the owner loses nothing", async () => {
    const state = await openedState(thief);
    const keys = hubCalls().length;
    // An event of the owner's client makes it no weaker.
    gateway.simulator.postPartnerEvent({ event: "channel_live", channelId: ownersChannel });
    const back = await customer.comeBack(
      returnTo({ state, client: ownersClient, channels: [ownersChannel] }),
    );
    expect([back.status, back.code]).toEqual([409, "channel_taken"]);
    expect(await auditOf("channel_taken")).toBe(1);
    expect(hubCalls()).toHaveLength(keys);
    await expectOwnerUnharmed();
  });

  it("with another tenant's channel under a client of its own gets nothing either", async () => {
    const client = gateway.simulator.createClient();
    const own = gateway.simulator.createChannel(client.id);
    const state = await openedState(thief);
    gateway.simulator.postPartnerEvent({ event: "channel_ready", channelId: own.id });
    const back = await customer.comeBack(
      returnTo({ state, client: client.id, channels: [own.id, ownersChannel] }),
    );
    expect(back.status).toBe(409);
    expect(await stageOf(own.id)).toBe(undefined);
    await expectOwnerUnharmed();
  });

  it("with a channel or a client that 360dialog does not confirm is refused", async () => {
    const client = gateway.simulator.createClient();
    gateway.simulator.createChannel(client.id);
    for (const wrong of [
      { client: client.id, channels: ["NoneCH"] },
      { client: "NoneCL", channels: [] },
    ]) {
      const state = await openedState(thief);
      const back = await customer.comeBack(returnTo({ state, ...wrong }));
      expect([back.status, back.code]).toEqual([403, "client_unverified"]);
    }
    expect(await auditOf("client_unverified")).toBe(2);
  });

  it("with a client that is nobody's waits for a person, unless an event came since the opening", async () => {
    const client = gateway.simulator.createClient();
    const ready = { status: "ready", running: true, permission: "shared" } as const;
    const channel = gateway.simulator.createChannel(client.id, ready);
    await eventually(async () => {
      const rows = await gateway.database.db
        .selectFrom("partner_event")
        .select("event")
        .where("channel_id", "=", channel.id)
        .execute();
      return rows.length > 0;
    });
    const keys = hubCalls().length;
    const query = { client: client.id, channels: [channel.id] };
    // Both claim it; neither keeps the other from being the one.
    const [mine, other] = [await openedState(owner), await openedState(thief)];
    for (const state of [mine, other]) {
      const back = await customer.comeBack(returnTo({ state, ...query }));
      expect([back.status, back.code]).toEqual([202, "needs_confirmation"]);
    }
    expect(await stageOf(channel.id)).toBe(undefined);
    expect(hubCalls()).toHaveLength(keys);

    const waiting = await gateway.partner(
      "GET",
      "/partner/v1/onboarding-links?state=needs_confirmation",
    );
    const links = waiting.json.data as { id: string; tenant_id: string; client_id: string }[];
    expect(links.map(({ client_id }) => client_id)).toEqual([client.id, client.id]);
    const confirm = (tenantId: string) => {
      const id = links.find(({ tenant_id }) => tenant_id === tenantId)?.id;
      return gateway.partner("POST", `/partner/v1/onboarding-links/${id}/confirm`);
    };
    expect((await confirm(owner.id)).json.state).toBe("accepted");
    expect((await confirm(owner.id)).status).toBe(200);
    expect((await confirm(thief.id)).json.code).toBe("channel_taken");
    await eventually(async () => expect(await stageOf(channel.id)).toBe("running"));
    const missing = await gateway.partner("POST", "/partner/v1/onboarding-links/onb_x/confirm");
    expect(missing.status).toBe(404);
  });

  it("of a link that was made for the button counts as opened since then, any other not at all", async () => {
    const made = await owner.call("POST", "/tenant/v1/onboarding-links?button=true");
    const { state, partner_id, redirect_url } = made.json.button;
    expect(partner_id).toBe(gateway.simulator.partner.partnerId);
    expect(redirect_url).toBe(`${gateway.url}/onboarding/return`);
    const plain = await gateway.partner("POST", `/partner/v1/tenants/${owner.id}/onboarding-links`);
    expect(plain.json).not.toHaveProperty("button");
    const [, unopened] = /start\/(.+)$/.exec(plain.json.url) ?? [];
    const client = gateway.simulator.createClient();
    const channel = gateway.simulator.createChannel(client.id, { permission: "shared" });
    const query = { client: client.id, channels: [channel.id] };
    const back = await customer.comeBack(returnTo({ state: unopened ?? "", ...query }));
    expect([back.status, back.code]).toEqual([202, "needs_confirmation"]);
    expect((await customer.comeBack(returnTo({ state, ...query }))).code).toBe("accepted");
  });

  it("with a state that is forged, used or expired is refused and in the audit", async () => {
    const state = await openedState(owner);
    const query = { client: ownersClient, channels: [ownersChannel] };
    const [id, , signature] = state.split(".");
    for (const forged of [`${id}.${thief.id}.${signature}`, `${state}x`, "", "nonsense"]) {
      const back = await customer.comeBack(returnTo({ state: forged, ...query }));
      expect([back.status, back.code]).toEqual([403, "link_invalid"]);
    }
    expect(await auditOf("link_invalid")).toBe(4);

    // Two at once: one is the first.
    const both = await Promise.all([
      customer.comeBack(returnTo({ state, ...query })),
      customer.comeBack(returnTo({ state, ...query })),
    ]);
    expect(new Set(both.map(({ code }) => code))).toEqual(new Set(["accepted", "link_used"]));
    const again = await customer.comeBack(returnTo({ state, ...query }));
    expect([again.status, again.code]).toEqual([409, "link_used"]);
    const reopened = await customer.comeBack(`/onboarding/start/${state}`);
    expect([reopened.status, reopened.code]).toEqual([409, "link_used"]);
    expect(await auditOf("link_used")).toBe(2);

    const old = await openedState(owner);
    await sql`update onboarding_link set expires_at = now() where used_at is null`.execute(
      gateway.database.db,
    );
    const late = await customer.comeBack(returnTo({ state: old, ...query }));
    expect([late.status, late.code]).toEqual([410, "link_expired"]);
    expect(await auditOf("link_expired")).toBe(1);
  });

  it("shows nothing of what its query says, and runs nothing", async () => {
    const bad = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for (const query of [`client=${bad}`, `state=${bad}&client=${bad}&channels=[${bad}]`]) {
      const { answer } = await customer.comeBack(`/onboarding/return?${query}`);
      expect(answer.body.toString()).not.toContain("script");
      expect(answer.headers["content-type"]).toContain("text/html");
      expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
    }
    const state = await openedState(owner);
    const broken = await customer.comeBack(`/onboarding/return?client=${bad}&state=${state}`);
    expect([broken.status, broken.code]).toEqual([400, "query_invalid"]);
    const empty = await customer.comeBack(`/onboarding/return?state=${state}`);
    expect([empty.status, empty.code]).toEqual([200, "nothing_shared"]);
  });

  it("makes no key for a number that is another tenant's here, though its channel is not known", async () => {
    const { channelId } = gateway.simulator.getNumber(owner.phoneNumberId);
    const client = gateway.simulator.createClient();
    gateway.simulator.changeChannel(channelId, { clientId: client.id }, { quiet: true });
    const state = await openedState(thief);
    gateway.simulator.postPartnerEvent({ event: "channel_live", channelId });
    const back = await customer.comeBack(
      returnTo({ state, client: client.id, channels: [channelId] }),
    );
    expect(back.code).toBe("accepted");
    await eventually(async () => {
      const { json } = await gateway.partner("GET", `/partner/v1/onboardings/${channelId}`);
      return json.failure?.code === "number_taken";
    });
    expect(gateway.simulator.getChannel(channelId).keys).toHaveLength(0);
    const sent = await owner.call("POST", `/${owner.phoneNumberId}/messages`, {
      body: textMessage("4915112345678", "still mine"),
    });
    expect(sent.status).toBe(200);
    const told = await eventually(async () => {
      const { json } = await thief.call("GET", "/tenant/v1/events?type=onboarding.failed");
      return json.data.length > 0 && json.data;
    });
    expect(told).toHaveLength(1);
  });

  it("of a token that is limited to some numbers cannot be prepared", async () => {
    const limited = await owner.call("POST", "/tenant/v1/tokens", {
      body: { name: "some", phone_number_ids: [owner.phoneNumberId] },
    });
    const { token } = limited.json as { token?: string };
    const refused = await gateway.call("POST", "/tenant/v1/onboarding-links", {
      token: token ?? limited.json.access_token,
    });
    expect(refused.status).toBe(403);
  });
});
