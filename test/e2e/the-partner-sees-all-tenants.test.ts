import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countHours } from "../../src/records/ledger/count-hours.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const TEXT = "planted message text";
const USER = "15550009876";
const HOUR_MS = 3_600_000;

type Row = Record<string, unknown> & { id: string; tenant_id: string | null; endpoint_id: string };

const by = (rows: Row[]): string[] => rows.map(({ id }) => id).toSorted();

const received = (rows: Row[]): unknown[][] =>
  rows.map(({ tenant_id, endpoint_id, received: count }) => [tenant_id, endpoint_id, count]);

describe("the partner sees all tenants", () => {
  let gateway: TestGateway;
  let tenants: TestTenant[];
  let endpointIds: string[];
  let receiver: Receiver;
  /** Of what it is told while it is paused. */
  let ownEndpointId: string;

  beforeAll(async () => {
    gateway = await startTestGateway();
    receiver = await startReceiver();
    tenants = [await buildTenant(gateway), await buildTenant(gateway)];
    endpointIds = [];
    for (const [index, tenant] of tenants.entries()) {
      const made = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
        body: { url: `${receiver.url}/${index}`, headers: { "X-Own": "own-value" } },
      });
      endpointIds.push(made.json.id as string);
    }
    const own = await gateway.partner("POST", "/partner/v1/webhook-endpoints", {
      url: `${receiver.url}/partner`,
    });
    ownEndpointId = own.json.id as string;
    await gateway.partner("POST", `/partner/v1/webhook-endpoints/${ownEndpointId}/pause`);
    await tenants[1]?.call("POST", `/tenant/v1/webhook-endpoints/${endpointIds[1]}/pause`);
    for (const { phoneNumberId } of tenants) {
      for (let index = 0; index < 3; index += 1) {
        gateway.simulator.receiveMessage({ phoneNumberId, from: USER, text: `${TEXT} ${index}` });
      }
    }
    const { phoneNumberId, wabaId } = tenants[0] as TestTenant;
    gateway.simulator.notify(phoneNumberId, {
      object: "whatsapp_business_account",
      entry: [
        {
          id: wabaId,
          time: 1,
          changes: [{ field: "phone_number_quality_update", value: { event: "FLAGGED" } }],
        },
      ],
    });
    await eventually(async () => {
      const states = (await list("deliveries")).map(({ state }) => state as string);
      return (
        states.filter((state) => state === "delivered").length === 4 &&
        states.filter((state) => state === "held").length === 4
      );
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await receiver.close();
  });

  async function list(what: string, query = ""): Promise<Row[]> {
    const { status, json, body } = await gateway.partner("GET", `/partner/v1/${what}?${query}`);
    expect(status, body.toString()).toBe(200);
    return json.data as Row[];
  }

  async function paged(what: string, query = ""): Promise<Row[]> {
    const all: Row[] = [];
    let cursor = "";
    do {
      const path = `/partner/v1/${what}?limit=1&${query}${cursor}`;
      const { json } = await gateway.partner("GET", path);
      all.push(...(json.data as Row[]));
      cursor = json.next_cursor === null ? "" : `&cursor=${json.next_cursor as string}`;
    } while (cursor !== "");
    return all;
  }

  it("in its overview: how many of each, and what waits", async () => {
    const { status, json } = await gateway.partner("GET", "/partner/v1/overview");
    expect(status).toBe(200);
    expect(json).toMatchObject({
      tenants: { active: 2 },
      numbers: { by_state: { running: 2 } },
      endpoints: { active: 1, paused: 2 },
      deliveries: { pending: 0, held: 4, delivering: 0, oldest_pending_at: null },
      // Six messages, a number's quality, the partner's copy of it.
      events: { last_hour: 8, last_day: 8 },
      ledger: { missing: 0 },
    });
  });

  it("in the list of deliveries: whose each is, by tenant, endpoint, state and time", async () => {
    const all = await list("deliveries");
    expect(by(await paged("deliveries"))).toEqual(by(all));
    expect(by(await list("deliveries", `tenant_id=${tenants[0]?.id}`))).toEqual(
      by(all.filter((row) => row.tenant_id === tenants[0]?.id)),
    );
    expect(by(await list("deliveries", `endpoint_id=${endpointIds[1]}&state=held`))).toHaveLength(
      3,
    );
    const own = await list("deliveries", `endpoint_id=${ownEndpointId}`);
    expect(own).toMatchObject([{ tenant_id: null, event_type: "number.quality_changed" }]);
    expect(await list("deliveries", `to=${new Date(Date.now() - HOUR_MS).toISOString()}`)).toEqual(
      [],
    );
    expect(await list("deliveries", "endpoint_id=whe_unknown")).toEqual([]);
  });

  it("in the list of endpoints: everybody's, with how they do", async () => {
    const all = await paged("endpoints");
    expect(all.map(({ id, tenant_id }) => [id, tenant_id])).toEqual([
      [endpointIds[0], tenants[0]?.id],
      [endpointIds[1], tenants[1]?.id],
      [ownEndpointId, null],
    ]);
    const paused = await list("endpoints", `state=paused&tenant_id=${tenants[1]?.id}`);
    expect(paused).toMatchObject([{ id: endpointIds[1], failure_count: 0, probe_at: null }]);
    expect(paused[0]?.["stopped_at"]).toEqual(expect.any(String));
  });

  it("in the ledger: every tenant's hours, once they are counted, and its own endpoint's", async () => {
    const { db } = gateway.database;
    // An hour later by the clock of what counts.
    const later = new Date(Date.now() + 2 * HOUR_MS);
    await db
      .insertInto("xid_mark")
      .values({ at: new Date(later.getTime() - 1), xid: "5" })
      .execute();
    await countHours(db, { now: later, keptSince: new Date(0), onDrift: () => {} });
    const all = await paged("ledger");
    expect(received(all)).toEqual([
      [null, ownEndpointId, 1],
      // Its quality concerns the WABA as a whole: a row without a number.
      [tenants[0]?.id, endpointIds[0], 1],
      [tenants[0]?.id, endpointIds[0], 3],
      [tenants[1]?.id, endpointIds[1], 3],
    ]);
    expect(all.every(({ missing }) => missing === 0)).toBe(true);
    const number = `phone_number_id=${tenants[1]?.phoneNumberId}`;
    expect(received(await list("ledger", number))).toEqual([[tenants[1]?.id, endpointIds[1], 3]]);
    expect(received(await list("ledger", `tenant_id=${tenants[0]?.id}`))).toHaveLength(2);
    expect(received(await list("ledger", `endpoint_id=${ownEndpointId}`))).toHaveLength(1);
  });

  it("and never what a message says, who wrote it, or what a tenant keeps secret", async () => {
    for (const what of ["overview", "deliveries", "endpoints", "ledger", "webhook-endpoints"]) {
      const { body } = await gateway.partner("GET", `/partner/v1/${what}`);
      for (const secret of [TEXT, USER, "own-value", "whsec_"]) {
        expect(body.toString()).not.toContain(secret);
      }
    }
  });

  it("and no tenant's token does", async () => {
    for (const what of ["overview", "deliveries", "endpoints", "ledger", "webhook-endpoints"]) {
      const answer = await tenants[0]?.call("GET", `/partner/v1/${what}`);
      expect([answer?.status, answer?.json.code]).toEqual([403, "wrong_audience"]);
    }
  });
});
