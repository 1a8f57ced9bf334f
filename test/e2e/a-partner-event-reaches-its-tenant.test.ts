import * as fc from "fast-check";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { signPartnerEvent } from "../support/sign-partner-event.ts";

const eventsOf = async (of: TestTenant, type: string): Promise<unknown[]> =>
  (await of.call("GET", `/tenant/v1/events?type=${type}`)).json.data as unknown[];

describe("partner events", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let stranger: TestTenant;
  let channelId: string;
  let hookUrl: string;

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
    stranger = await buildTenant(gateway, { name: "Stranger" });
    channelId = gateway.simulator.getNumber(tenant.phoneNumberId).channelId;
    await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, {
      channel_id: channelId,
    });
    await gateway.partner("POST", "/partner/v1/hub/webhook");
    hookUrl = String(await webhookUrl());
  });

  afterAll(async () => {
    await gateway.stop();
  });

  async function webhookUrl(): Promise<unknown> {
    const { url, partner } = gateway.simulator;
    const answer = await request(`${url}/api/v2/partners/${partner.partnerId}/webhook_url`, {
      headers: { "x-api-key": partner.apiKey },
    });
    return ((await answer.body.json()) as { webhook_url: unknown }).webhook_url;
  }

  const post = async (body: string, headers: Record<string, string>): Promise<number> => {
    const answer = await request(hookUrl, { method: "POST", body, headers });
    await answer.body.dump();
    return answer.statusCode;
  };

  const storedCount = async (): Promise<number> => {
    const rows = await gateway.database.db.selectFrom("partner_event").select("event").execute();
    return rows.length;
  };

  const waitingCount = async (): Promise<number> => {
    const rows = await gateway.database.db
      .selectFrom("partner_event")
      .select("event")
      .where("applied_at", "is", null)
      .execute();
    return rows.length;
  };

  it("come to an address that the partner registers, which takes nothing unsigned", async () => {
    expect(hookUrl).toMatch(new RegExp(`^${gateway.url}/hooks/360dialog/[\\w-]{43}$`));
    const body = JSON.stringify({ id: "ev1", event: "channel_live", data: { id: channelId } });
    const before = await storedCount();
    const wrong = [
      { "content-type": "application/json" },
      signPartnerEvent(body, "another secret"),
      signPartnerEvent(`${body} `),
      { ...signPartnerEvent(body), "x-360dialog-signature": "" },
    ];
    for (const headers of wrong) {
      expect(await post(body, headers)).toBe(404);
    }
    expect(await storedCount()).toBe(before);
    expect(await post(body, signPartnerEvent(body))).toBe(200);
    expect(await storedCount()).toBe(before + 1);
  });

  it("that come again are one, however they are framed and whoever repeats them", async () => {
    const event = { id: "repeated", event: "account_violation", data: { id: channelId } };
    const bodies = [JSON.stringify(event), JSON.stringify(event, null, 2), JSON.stringify(event)];
    expect(await Promise.all(bodies.map((body) => post(body, signPartnerEvent(body))))).toEqual([
      200, 200, 200,
    ]);
    await eventually(async () =>
      expect(await eventsOf(tenant, "account.violation")).toHaveLength(1),
    );
    expect(await eventsOf(stranger, "account.violation")).toEqual([]);
  });

  it("of quality, limit and restriction are on the number too, and templates' in the cache's words", async () => {
    const { simulator } = gateway;
    simulator.changeChannel(channelId, { quality: "Low", currentLimit: "TIER_10K" });
    simulator.postPartnerEvent({ event: "channel_quality_changed", channelId });
    simulator.postPartnerEvent({
      event: "waba_template_status_changed",
      channelId,
      data: { template: { name: "hello", language: "de", status: "paused", id: "7WT" } },
    });
    await eventually(async () => {
      const number = await gateway.partner("GET", `/partner/v1/numbers/${tenant.numberId}`);
      expect(number.json).toMatchObject({ quality: "RED", messaging_limit: "TIER_10K" });
      expect(await eventsOf(tenant, "number.quality_changed")).toHaveLength(1);
      const templates = await tenant.call("GET", "/tenant/v1/templates?name=hello");
      expect(templates.json.data).toMatchObject([{ language: "de", status: "paused" }]);
      return true;
    });
    simulator.postPartnerEvent({ event: "account_restriction", channelId });
    await eventually(async () => {
      const number = await gateway.partner("GET", `/partner/v1/numbers/${tenant.numberId}`);
      expect(number.json.onboarding_stage).toBe("restricted");
      expect(await eventsOf(tenant, "account.restricted")).toHaveLength(1);
      return true;
    });
  });

  it("in whatever order and however often they come end in the state that 360dialog has", async () => {
    const { simulator } = gateway;
    const now = { quality: "Medium", currentLimit: "TIER_100K" };
    simulator.changeChannel(channelId, now, { quiet: true });
    const stale = fc.record({
      current_quality_rating: fc.constantFrom("High", "Medium", "Low"),
      current_limit: fc.constantFrom("TIER_1K", "TIER_10K", "TIER_100K"),
      status: fc.constantFrom("created", "ready", "modified"),
    });
    const events = fc.tuple(fc.constantFrom("channel_ready", "channel_running", "odd"), stale);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(events, { minLength: 1, maxLength: 8 }), async (told) => {
        round += 1;
        const bodies = told.map(([event, data], index) =>
          JSON.stringify({ id: `${round}-${index % 5}`, event, data: { id: channelId, ...data } }),
        );
        await Promise.all(bodies.map((body) => post(body, signPartnerEvent(body))));
        await eventually(async () => (await waitingCount()) === 0);
        const number = await gateway.partner("GET", `/partner/v1/numbers/${tenant.numberId}`);
        expect(number.json).toMatchObject({ quality: "YELLOW", messaging_limit: "TIER_100K" });
        expect(number.json.onboarding_stage).toBe("restricted");
      }),
      { numRuns: 15 },
    );
  });

  it("that nobody understands are kept whole and are nobody's", async () => {
    const bodies = ["not JSON", "[]", JSON.stringify({ id: "odd", event: "Odd Event!", data: 1 })];
    const before = await storedCount();
    for (const body of bodies) {
      expect(await post(body, signPartnerEvent(body))).toBe(200);
    }
    expect(await storedCount()).toBe(before + 3);
    await eventually(async () => {
      const open = await gateway.database.db
        .selectFrom("partner_event")
        .select("failure")
        .where((where) =>
          where.or([where("applied_at", "is", null), where("failure", "is not", null)]),
        )
        .execute();
      expect(open).toEqual([]);
      return true;
    });
    const rows = await gateway.database.db
      .selectFrom("event")
      .select("tenant_id")
      .distinct()
      .where("type", "=", "unknown.partner_event")
      .execute();
    expect(rows).toEqual([{ tenant_id: "" }]);
  });

  it("still come to the address of before when a new one is registered", async () => {
    const answer = await gateway.partner("POST", "/partner/v1/hub/webhook");
    expect(answer.json.replaced_origin).toBe(gateway.url);
    expect(await webhookUrl()).not.toBe(hookUrl);
    const body = JSON.stringify({ id: "late", event: "client_created", data: { id: "1CL" } });
    expect(await post(body, signPartnerEvent(body))).toBe(200);
  });

  it("need an account and a platform secret", async () => {
    const unset = { D360_PARTNER_ID: "", D360_PARTNER_API_KEY: "" };
    const withoutAccount = await startTestGateway({ env: unset });
    const refused = await withoutAccount.partner("POST", "/partner/v1/hub/webhook");
    expect(refused.status).toBe(422);
    expect(refused.json.errors).toMatchObject([{ code: "partner_account_missing" }]);
    await withoutAccount.stop();
    const withoutSecret = await startTestGateway({ env: { D360_PLATFORM_SECRET: "" } });
    const missing = await withoutSecret.partner("POST", "/partner/v1/hub/webhook");
    expect(missing.json.errors).toMatchObject([{ code: "platform_secret_missing" }]);
    await withoutSecret.stop();
  });
});
