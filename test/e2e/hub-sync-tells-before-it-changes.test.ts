import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

type Difference = {
  id: string;
  kind: string;
  channel_id: string;
  number_id: string | null;
  tenant_id: string | null;
  rule: string | null;
  field: string | null;
  here: string | null;
  there: string | null;
};

describe("hub sync", () => {
  let gateway: TestGateway;
  let acme: TestTenant;
  let globex: TestTenant;
  let acmeChannel: string;

  const post = (body: object) => gateway.partner("POST", "/partner/v1/hub/sync", body);
  const numberOf = async (tenant: TestTenant) =>
    (await gateway.partner("GET", `/partner/v1/numbers/${tenant.numberId}`)).json;
  const quiet = { quiet: true };

  /** A comparison that is finished, with what it found. */
  async function compare(body: object = {}): Promise<{ id: string; differences: Difference[] }> {
    const begun = await post(body);
    expect(begun.status).toBe(201);
    const path = `/partner/v1/hub/sync/${String(begun.json.id)}`;
    await eventually(async () => (await gateway.partner("GET", path)).json.state === "finished");
    const differences: Difference[] = [];
    let cursor: string | null = null;
    do {
      const search = cursor === null ? "" : `&cursor=${cursor}`;
      const { json }: Answer = await gateway.partner("GET", `${path}/differences?limit=3${search}`);
      differences.push(...(json.data as Difference[]));
      cursor = json.next_cursor as string | null;
    } while (cursor !== null);
    return { id: String(begun.json.id), differences };
  }

  beforeAll(async () => {
    gateway = await startTestGateway();
    acme = await buildTenant(gateway, { name: "Acme" });
    globex = await buildTenant(gateway, { name: "Globex" });
    const { simulator } = gateway;
    for (const [id, tenant] of [
      ["AcmeCL", acme],
      ["GlobexCL", globex],
    ] as const) {
      simulator.createClient({ id, name: `${id} Ltd` }, quiet);
      const { channelId } = simulator.getNumber(tenant.phoneNumberId);
      simulator.changeChannel(channelId, { clientId: id }, quiet);
      await gateway.partner("PATCH", `/partner/v1/numbers/${tenant.numberId}`, {
        channel_id: channelId,
        client_id: id,
      });
    }
    acmeChannel = simulator.getNumber(acme.phoneNumberId).channelId;
  });
  afterAll(() => gateway.stop());

  it("reports what a number's channel has otherwise, changes nothing, and then what was agreed", async () => {
    const before = await numberOf(acme);
    const { id, differences } = await compare();
    expect(await numberOf(acme)).toEqual(before);
    const ofAcme = differences.filter(({ number_id }) => number_id === acme.numberId);
    const told = new Map(ofAcme.map(({ field, here, there }) => [field, [here, there]]));
    expect(Object.fromEntries(told)).toEqual({
      messaging_limit: [null, "TIER_1K"],
      onboarding_stage: ["running", "live"],
      quality: [null, "GREEN"],
    });
    const quality = ofAcme.find(({ field }) => field === "quality");
    const applied = await post({ sync_id: id, apply: [quality?.id] });
    expect([applied.status, applied.json.applied]).toMatchObject([200, [{ field: "quality" }]]);
    expect(await numberOf(acme)).toMatchObject({ quality: "GREEN", onboarding_stage: "running" });
    // The same differences have the same ids, and the one that was applied is gone.
    const again = await compare();
    const ids = again.differences.map((difference) => difference.id).toSorted();
    expect(ids).toEqual(
      differences.flatMap((one) => (one.id === quality?.id ? [] : [one.id])).toSorted(),
    );
  });

  it("refuses all of what was agreed when a part of it is not so any more", async () => {
    const { id, differences } = await compare();
    const ofAcme = differences.filter(({ number_id }) => number_id === acme.numberId);
    expect(ofAcme).toHaveLength(2);
    gateway.simulator.changeChannel(acmeChannel, { currentLimit: "TIER_10K" }, quiet);
    const refused = await post({ sync_id: id, apply: ofAcme.map((one) => one.id) });
    expect([refused.status, refused.json.code]).toEqual([409, "difference_gone"]);
    expect((await numberOf(acme)).onboarding_stage).toBe("running");
    const strange = await post({ sync_id: id, apply: [`dif_${"0".repeat(26)}`] });
    expect([strange.status, strange.json.code]).toEqual([409, "difference_gone"]);
  });

  it("says whose an unknown channel would be, by which rule, or that it is not clear", async () => {
    const { simulator } = gateway;
    await gateway.partner("POST", "/partner/v1/tenants", { name: "Twin" });
    await gateway.partner("POST", "/partner/v1/tenants", { name: "Twin" });
    const named = await gateway.partner("POST", "/partner/v1/tenants", { name: "100% Pure_Ltd" });
    const external = await gateway.partner("POST", "/partner/v1/tenants", {
      name: "By external id",
      external_id: "ExternCL",
    });
    const clients: [string, string][] = [
      ["ExternCL", "Whoever"],
      ["NamedCL", "100% pure_ltd (Berlin)"],
      ["AlmostCL", "100x pureXltd (Berlin)"],
      ["TwinCL", "Twin (Berlin)"],
    ];
    for (const [id, name] of clients) {
      simulator.createClient({ id, name }, quiet);
    }
    const channelOf = new Map(
      ["AcmeCL", ...clients.map(([id]) => id)].map((id) => [
        simulator.createChannel(id, {}, quiet).id,
        id,
      ]),
    );
    const rules = [
      { by: "client_id" },
      { by: "external_id" },
      { by: "name", pattern: "{name} (*)" },
    ];
    const { differences } = await compare({ rules });
    const told = differences
      .filter(({ kind }) => kind === "channel_unknown")
      .map((one) => [channelOf.get(one.channel_id), [one.tenant_id, one.rule]]);
    expect(Object.fromEntries(told)).toEqual({
      AcmeCL: [acme.id, "client_id"],
      AlmostCL: [null, null],
      ExternCL: [external.json.id, "external_id"],
      NamedCL: [named.json.id, "name"],
      TwinCL: [null, "name"],
    });
  });

  it("makes an unknown channel a number of the tenant when that was agreed, and not before", async () => {
    const { simulator } = gateway;
    const state = { status: "ready", running: true, permission: "shared", live: true } as const;
    const channel = simulator.createChannel("GlobexCL", state, quiet);
    const { id, differences } = await compare();
    const found = differences.find(({ channel_id }) => channel_id === channel.id);
    expect(found).toMatchObject({ kind: "channel_unknown", tenant_id: globex.id });
    const numbers = async () =>
      (await gateway.partner("GET", `/partner/v1/numbers?tenant_id=${globex.id}`)).json.data as {
        channel_id: string;
        state: string;
      }[];
    expect(await numbers()).toHaveLength(1);
    expect((await post({ sync_id: id, apply: [found?.id] })).status).toBe(200);
    await eventually(async () =>
      (await numbers()).some((one) => one.channel_id === channel.id && one.state === "running"),
    );
  });

  it("does not guess: a channel that no rule gives to a tenant is refused", async () => {
    const { id, differences } = await compare();
    const unclear = differences.find(
      ({ kind, tenant_id }) => kind === "channel_unknown" && tenant_id === null,
    );
    const refused = await post({ sync_id: id, apply: [unclear?.id] });
    expect([refused.status, refused.json.errors]).toMatchObject([
      422,
      [{ code: "tenant_unclear" }],
    ]);
  });

  it("reports a number whose channel has ended, or is another client's", async () => {
    const { simulator } = gateway;
    simulator.changeChannel(acmeChannel, { terminated: true }, quiet);
    const globexChannel = simulator.getNumber(globex.phoneNumberId).channelId;
    simulator.changeChannel(globexChannel, { clientId: "AcmeCL" }, quiet);
    const { id, differences } = await compare();
    const ended = differences.filter(({ number_id }) => number_id === acme.numberId);
    expect(ended).toMatchObject([{ kind: "channel_gone", there: "terminated" }]);
    const moved = differences.find(
      ({ number_id, field }) => number_id === globex.numberId && field === "client_id",
    );
    expect(moved).toMatchObject({ here: "GlobexCL", there: "AcmeCL" });
    expect((await post({ sync_id: id, apply: [ended[0]?.id] })).status).toBe(200);
    expect((await numberOf(acme)).onboarding_stage).toBe("cancelled");
  });

  it("goes through a long list page by page", async () => {
    const { simulator } = gateway;
    simulator.createClient({ id: "ManyCL", name: "Many" }, quiet);
    for (let n = 0; n < 450; n++) {
      simulator.createChannel("ManyCL", {}, quiet);
    }
    const { id } = await compare();
    const { json } = await gateway.partner("GET", `/partner/v1/hub/sync/${id}`);
    expect(json.channels).toBe(simulator.listChannels().length);
  });
});
