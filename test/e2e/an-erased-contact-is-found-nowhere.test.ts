import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dumpDatabase } from "../support/dump.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const PHONE = "15550017788";
const BSUID = "US.44556677889900";
const OTHER = "15550009911";
const KEY = "key-of-the-erased";
const TEXTS = ["words of the user", "words to the user", "echo of the endpoint"];

describe("a contact that is erased", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let neighbour: TestTenant;
  let receiver: Receiver;
  let idle: string;
  let wamids: string[];
  let before: { usage: unknown; ledger: LedgerSum; events: number; dump: string };
  let erased: Record<string, number>;

  type LedgerSum = { received: number; settled: number; missing: number };

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
    neighbour = await buildTenant(gateway, { name: "Neighbour" });
    receiver = await startReceiver();
    await addEndpoint("/hook");
    idle = await addEndpoint("/idle");
    await tenant.call("POST", `${idle}/pause`);
    wamids = await plant();
    before = {
      usage: (await tenant.call("GET", "/tenant/v1/usage")).json,
      ledger: await ledgerSum(),
      events: await eventCount(),
      dump: await dumpDatabase(gateway.database.db),
    };
    erased = await erase({ user: `+${PHONE}` });
  });
  afterAll(async () => {
    await receiver.close();
    await gateway.stop();
  });

  async function addEndpoint(path: string): Promise<string> {
    const body = { url: `${receiver.url}${path}` };
    const { json } = await tenant.call("POST", "/tenant/v1/webhook-endpoints", { body });
    return `/tenant/v1/webhook-endpoints/${json.id as string}`;
  }

  async function erase(body: object): Promise<Record<string, number>> {
    const answer = await tenant.call("POST", "/tenant/v1/contacts/erase", {
      body,
      headers: { "x-request-id": "erasure" },
    });
    expect([answer.status, answer.json.state]).toEqual([200, "finished"]);
    return answer.json.erased as Record<string, number>;
  }

  async function eventCount(): Promise<number> {
    const { db } = gateway.database;
    const rows = await db
      .selectFrom("event")
      .select("id")
      .where("tenant_id", "=", tenant.id)
      .execute();
    return rows.length;
  }

  async function ledgerSum(): Promise<LedgerSum> {
    const { json } = await tenant.call("GET", "/tenant/v1/ledger");
    const rows = json.data as Record<string, number>[];
    const sum = (...names: string[]): number =>
      rows.reduce((total, row) => names.reduce((all, name) => all + (row[name] ?? 0), total), 0);
    return {
      received: sum("received"),
      settled: sum(
        "filtered",
        "delivered",
        "exhausted",
        "cancelled",
        "pending",
        "delivering",
        "held",
      ),
      missing: sum("missing"),
    };
  }

  /** What a tenant comes to have of a user. @returns WhatsApp's ids, which hold the phone number */
  async function plant(): Promise<string[]> {
    const { phoneNumberId } = tenant;
    const { simulator } = gateway;
    const inbound = simulator.receiveMessage({
      phoneNumberId,
      from: PHONE,
      userId: BSUID,
      profileName: "Name of the user",
      message: { type: "image", image: { id: "77665544", caption: TEXTS[0] ?? "" } },
    });
    // Known by its BSUID only.
    simulator.receiveMessage({ phoneNumberId, userId: BSUID, text: TEXTS[0] ?? "" });
    // Somebody else names the user.
    simulator.receiveMessage({ phoneNumberId, from: OTHER, text: `ask ${PHONE}, not me` });
    simulator.receiveMessage({ phoneNumberId, from: OTHER, text: `9${PHONE} is no phone number` });
    simulator.receiveMessage({
      phoneNumberId: neighbour.phoneNumberId,
      from: OTHER,
      text: "of the neighbour",
    });
    simulator.changePreference({ phoneNumberId, from: PHONE, value: "stop" });
    const sent = await tenant.call("POST", "/messages", {
      body: textMessage(`+1 (555) 001-7788`, TEXTS[1] ?? ""),
      headers: { "idempotency-key": KEY },
    });
    expect(sent.status).toBe(200);
    await tenant.call("PUT", `/tenant/v1/opt-ins/${phoneNumberId}/${PHONE}`, {
      body: { source: "form", obtained_at: "2025-06-15T12:00:00Z", proof: `wrote from ${PHONE}` },
    });
    await tenant.call("PUT", `/tenant/v1/opt-ins/${phoneNumberId}/${OTHER}`, {
      body: { source: "form", obtained_at: "2025-06-15T12:00:00Z", proof: `a friend of ${PHONE}` },
    });
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/usage");
      const counts = (json.data as { messages: number }[]).map(({ messages }) => messages);
      return counts.reduce((sum, count) => sum + count, 0) === 5;
    });
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/messages");
      return (json.data as unknown[]).length === 1;
    });
    // Five inbound things and three statuses, to the endpoint that is not paused.
    await eventually(() => receiver.received.length >= 8);
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/deliveries?state=delivered&limit=100");
      return (json.data as unknown[]).length >= 8;
    });
    // What a receiver on this machine answers is not kept; what others answer is.
    await gateway.database.db
      .updateTable("attempt")
      .set({ answer: Buffer.from(`${TEXTS[2]} ${PHONE}`) })
      .where("tenant_id", "=", tenant.id)
      .execute();
    return [inbound.messageId, sent.json.messages[0].id as string];
  }

  it("is in no row of the database, by phone number, BSUID, name, text or WhatsApp's ids", async () => {
    const dump = await dumpDatabase(gateway.database.db);
    const standing = new RegExp(`(?<!\\d)${PHONE}`);
    for (const planted of [BSUID, ...TEXTS, ...wamids, "Name of the user", "77665544"]) {
      expect(before.dump, planted).toContain(planted);
      expect(dump, planted).not.toContain(planted);
    }
    expect(before.dump).toMatch(standing);
    expect(dump).not.toMatch(standing);
    expect(dump).not.toContain("(555) 001");
  });

  it("is told by how much of each was erased, and has left each event, blank, where it was", async () => {
    expect(erased).toMatchObject({ messages: 1, opt_ins: 1, windows: 2, media_ids: 1 });
    expect(erased["marketing_preferences"]).toBe(1);
    expect(erased["statuses"]).toBe(3);
    expect(erased["deliveries"]).toBeGreaterThanOrEqual(6);
    expect(await eventCount()).toBe(before.events);
    const { json } = await tenant.call("GET", "/tenant/v1/events?type=message.received");
    expect(json.data).toContainEqual(expect.objectContaining({ data: { erased: true } }));
  });

  it("leaves the counts as they were", async () => {
    expect((await tenant.call("GET", "/tenant/v1/usage")).json).toEqual(before.usage);
    expect(await ledgerSum()).toEqual(before.ledger);
    expect(before.ledger.received).toBeGreaterThan(0);
    expect(before.ledger.settled).toBe(before.ledger.received);
  });

  it("leaves what others have, but for the name in it", async () => {
    const dump = await dumpDatabase(gateway.database.db);
    for (const kept of [
      "ask erased, not me",
      `9${PHONE} is no phone number`,
      "a friend of erased",
    ]) {
      expect(dump, kept).toContain(kept);
    }
    expect(dump).toContain("of the neighbour");
    expect(dump).toContain(OTHER);
  });

  it("is delivered to nobody any more, neither what waited nor by a replay", async () => {
    receiver.received.length = 0;
    await tenant.call("POST", `${idle}/resume`);
    const from = new Date(Date.now() - 600_000).toISOString();
    const to = new Date().toISOString();
    for (const { id } of (await tenant.call("GET", "/tenant/v1/webhook-endpoints")).json.data) {
      await tenant.call("POST", `/tenant/v1/webhook-endpoints/${id as string}/replay`, {
        body: { from, to },
      });
    }
    const bodies = (): string => receiver.received.map(({ body }) => body.toString()).join("\n");
    await eventually(() => bodies().includes("ask erased, not me"));
    await eventually(async () => {
      const { json } = await tenant.call("GET", "/tenant/v1/deliveries?state=pending");
      return (json.data as unknown[]).length === 0;
    });
    expect(bodies()).not.toMatch(/"erased"\s*:\s*true/);
    for (const planted of [BSUID, ...TEXTS.slice(0, 2)]) {
      expect(bodies()).not.toContain(planted);
    }
  });

  it("does not come back by a repeat, and a repeat of its send is not sent again", async () => {
    const { phoneNumberId } = tenant;
    const events = await eventCount();
    gateway.simulator.receiveMessage({
      phoneNumberId,
      from: PHONE,
      userId: BSUID,
      text: TEXTS[0] ?? "",
      messageId: wamids[0] ?? "",
    });
    gateway.simulator.receiveMessage({ phoneNumberId, from: OTHER, text: "after the repeat" });
    await eventually(async () => (await eventCount()) === events + 1);
    const sends = (): number =>
      gateway.simulator.requests.filter(({ url }) => url === "/messages").length;
    const count = sends();
    const repeat = await tenant.call("POST", "/messages", {
      body: textMessage(`+1 (555) 001-7788`, TEXTS[1] ?? ""),
      headers: { "idempotency-key": KEY },
    });
    expect([repeat.status, repeat.json.code]).toEqual([504, "outcome_unknown"]);
    expect(sends()).toBe(count);
    expect(await dumpDatabase(gateway.database.db)).not.toContain(TEXTS[0]);
  });

  it("is erased again without anything to erase", async () => {
    const again = await erase({ user: BSUID });
    expect(Object.values(again).every((count) => count === 0)).toBe(true);
  });

  it("is in the audit as an erasure, without whom", async () => {
    const { json, body } = await eventually(async () => {
      const answer = await gateway.partner("GET", "/partner/v1/audit?request_id=erasure");
      return answer.json.data.length > 0 && answer;
    });
    expect(json.data[0]).toMatchObject({ operation: "eraseContact" });
    expect(body.toString()).not.toContain(PHONE);
    expect(body.toString()).not.toContain(BSUID);
  });

  it.each(["", "nobody", "12"])("is refused where it is no user: %j", async (user) => {
    const answer = await tenant.call("POST", "/tenant/v1/contacts/erase", { body: { user } });
    expect(answer.status).toBe(422);
  });
});

describe("a tenant that is deleted", () => {
  it("leaves nothing of its content behind", async () => {
    const gateway = await startTestGateway();
    const tenant = await buildTenant(gateway, { name: "Erased Incorporated" });
    const { phoneNumberId } = tenant;
    gateway.simulator.receiveMessage({ phoneNumberId, from: PHONE, text: TEXTS[0] ?? "" });
    await tenant.call("POST", "/messages", { body: textMessage(PHONE, TEXTS[1] ?? "") });
    await tenant.call("PUT", `/tenant/v1/opt-ins/${phoneNumberId}/${PHONE}`, {
      body: { source: "form", obtained_at: "2025-06-15T12:00:00Z", proof: `wrote from ${PHONE}` },
    });
    const planted = ["Erased Incorporated", PHONE, TEXTS[0] ?? "", TEXTS[1] ?? ""];
    const before = await eventually(async () => {
      const dump = await dumpDatabase(gateway.database.db);
      return planted.every((text) => dump.includes(text)) ? dump : undefined;
    });
    expect(before).toContain("customer_service_window");
    const gone = await gateway.partner("DELETE", `/partner/v1/tenants/${tenant.id}`);
    expect(gone.status).toBe(204);
    const dump = await dumpDatabase(gateway.database.db);
    for (const text of planted) {
      expect(dump, text).not.toContain(text);
    }
    await gateway.stop();
  });
});
